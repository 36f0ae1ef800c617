// The flags of `serve`.
import { InvalidArgumentError } from 'commander';
import { parseBytes } from '../job/memory.js';
import { DEFAULT_MODEL, PRECISIONS } from '../model/names.js';
import { DEFAULT_BATCHES, DEFAULT_DRAIN_MS, DEFAULT_HOST, DEFAULT_LIMITS, DEFAULT_PORT } from '../serve/config.js';
import { type Flag, wholeNumber } from './flags.js';

const LIMITS = DEFAULT_LIMITS;
const number = (value: number): string => value.toLocaleString('en-US');
const seconds = (milliseconds: number): string => `${milliseconds / 1000}`;
const mib = (bytes: number): string => `${bytes / 2 ** 20}MiB`;

export const SERVE_FLAGS: readonly Flag[] = [
  { flags: '--host <address>', help: 'address to listen on; anything but loopback lets others in', fallback: DEFAULT_HOST },
  { flags: '--port <n>', help: 'port to listen on; 0: any that is free', fallback: `${DEFAULT_PORT}`, parse: port },
  {
    flags: '--model <folders...>',
    help: "model folders, ORG/NAME of the hub's cache or names of shipped models, each also as name=folder; the first is used where a request names none",
    fallback: DEFAULT_MODEL,
  },
  { flags: '--precision <type>', help: 'arithmetic of the models', fallback: 'int8 where a model has it', choices: PRECISIONS },
  { flags: '--threads <n>', help: 'engine processes a model', fallback: 'the CPUs this process may use', parse: wholeNumber },
  { flags: '--max-tokens <n>', help: 'longest text in tokens', fallback: "the model's", parse: wholeNumber },
  { flags: '--max-batch-tokens <n>', help: 'most tokens in a batch', fallback: number(DEFAULT_BATCHES.maxTokens), parse: wholeNumber },
  { flags: '--max-batch-size <n>', help: 'most texts in a batch', fallback: number(DEFAULT_BATCHES.maxRows), parse: wholeNumber },
  {
    flags: '--max-wait-ms <n>',
    help: 'while all engines are busy: so long a text may be passed over for a fuller batch of the same client',
    fallback: `${DEFAULT_BATCHES.maxWaitMs}`,
    parse: wholeNumber,
  },
  { flags: '--max-queue-tokens <n>', help: 'tokens that may wait', fallback: number(LIMITS.maxQueueTokens), parse: wholeNumber },
  {
    flags: '--max-queue-time <seconds>',
    help: 'a request that the work of others would hold up for longer, and for over four times what it takes by itself, is refused at once',
    fallback: seconds(LIMITS.maxQueueMs),
    parse: duration,
  },
  { flags: '--max-body <size>', help: 'largest body of a request', fallback: mib(LIMITS.maxBodyBytes), parse: bytes },
  { flags: '--max-held <size>', help: 'bodies held at the same time', fallback: mib(LIMITS.maxHeldBytes), parse: bytes },
  { flags: '--max-texts <n>', help: 'most texts a request', fallback: number(LIMITS.maxTexts), parse: wholeNumber },
  { flags: '--max-characters <n>', help: 'longest text in characters', fallback: number(LIMITS.maxCharacters), parse: wholeNumber },
  { flags: '--max-connections <n>', help: 'connections at the same time', fallback: number(LIMITS.maxConnections), parse: wholeNumber },
  {
    flags: '--timeout <seconds>',
    help: 'from the arrival of a request to its answer',
    fallback: seconds(LIMITS.timeoutMs),
    parse: duration,
  },
  { flags: '--header-timeout <seconds>', help: 'for the headers to arrive', fallback: seconds(LIMITS.headerTimeoutMs), parse: duration },
  { flags: '--body-timeout <seconds>', help: 'for a whole request to arrive', fallback: seconds(LIMITS.bodyTimeoutMs), parse: duration },
  {
    flags: '--idle-timeout <seconds>',
    help: 'for a connection without a request',
    fallback: seconds(LIMITS.idleTimeoutMs),
    parse: duration,
  },
  {
    flags: '--drain-timeout <seconds>',
    help: 'for what is under way when the server is told to end',
    fallback: seconds(DEFAULT_DRAIN_MS),
    parse: duration,
  },
  {
    flags: '--api-key-file <file>',
    help: 'keys that requests must carry, one a line; read again when it changes',
    fallback: 'none: anybody may ask',
  },
  { flags: '--accept-token-ids', help: 'take token ids in place of texts; they must be of the same tokenizer' },
  { flags: '--quiet', help: 'print errors only' },
];

function port(text: string): number {
  const value = wholeNumber(text);
  if (value <= 65_535) return value;
  throw new InvalidArgumentError(`"${text}" is not a port: they go to 65535`);
}

/** Seconds -> milliseconds. */
function duration(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text.trim()) && value > 0 && value <= 86_400) return value * 1000;
  throw new InvalidArgumentError(`"${text}" is not a number of seconds above 0`);
}

function bytes(text: string): number {
  const value = parseBytes(text);
  if (value !== undefined && value > 0) return value;
  throw new InvalidArgumentError(`"${text}" is not a size like 4MiB`);
}
