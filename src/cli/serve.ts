// `embedkit serve`: reads the arguments, starts the server, ends it when told to.
import { destination, type Logger, pino } from 'pino';
import { positive } from '../embedder/open.js';
import { EmbedkitError, EXIT } from '../errors.js';
import type { Precision } from '../model/names.js';
import {
  type BatchConfig,
  DEFAULT_BATCHES,
  DEFAULT_DRAIN_MS,
  DEFAULT_HOST,
  DEFAULT_LIMITS,
  DEFAULT_PORT,
  type ServeLimits,
} from '../serve/config.js';
import { modelChoice, type ServeConfig, type Server, startServer } from '../serve/server.js';

/** The options as commander names them, after SERVE_FLAGS. */
export interface ServeArguments {
  readonly host?: string;
  readonly port?: number;
  readonly model?: string | string[];
  readonly precision?: Precision;
  readonly threads?: number;
  readonly maxTokens?: number;
  readonly maxBatchTokens?: number;
  readonly maxBatchSize?: number;
  readonly maxWaitMs?: number;
  readonly maxQueueTokens?: number;
  readonly maxQueueTime?: number;
  readonly maxBody?: number;
  readonly maxHeld?: number;
  readonly maxTexts?: number;
  readonly maxCharacters?: number;
  readonly maxConnections?: number;
  readonly timeout?: number;
  readonly headerTimeout?: number;
  readonly bodyTimeout?: number;
  readonly idleTimeout?: number;
  readonly drainTimeout?: number;
  readonly apiKeyFile?: string;
  readonly acceptTokenIds?: boolean;
  readonly quiet?: boolean;
}

/** Serves until SIGTERM or SIGINT; returns the exit code, throws EmbedkitError where it cannot start or could not finish what it took. */
export async function serve(given: ServeArguments): Promise<number> {
  const log = openLog(given);
  const told = untilTold();
  const server = await startServer({ ...configOf(given), log });
  process.stderr.write(`${readyLine(server, given)}\n`);
  await told;
  const drainMs = given.drainTimeout ?? DEFAULT_DRAIN_MS;
  if (await server.close(drainMs)) return EXIT.ok;
  const hint = 'raise --drain-timeout, or send smaller requests';
  throw new EmbedkitError('terminated', `requests were cut off after ${drainMs / 1000} s`, { hint });
}

/** Characters of lines that wait for their reader; those beyond are lost. */
const MOST_WAITING_LOG = 2 ** 23;

/** Lines are written beside the event loop: a reader of the log that stands still does not hold the server up. */
function openLog({ quiet }: ServeArguments): Logger {
  const options = { level: quiet ? 'error' : 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(options, destination({ fd: process.stderr.fd, sync: false, maxLength: MOST_WAITING_LOG }));
}

/** The first signal ends the server in order; a second one ends the process at once. */
function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated));
        resolve();
      });
    }
  });
}

function readyLine({ url, models }: Server, { apiKeyFile }: ServeArguments): string {
  const counted = (engines: number): string => `${engines} ${engines === 1 ? 'engine' : 'engines'}`;
  const names = models.map(({ name, folder, engines }) => `${name} (${folder.precision}, ${counted(engines.ready)})`).join(', ');
  const isOpen = apiKeyFile === undefined && !/\/\/(127\.|localhost|\[::1\])/.test(url);
  return `embedkit: ${names} ready at ${url}${isOpen ? '; ANYBODY who reaches it may use it: see --api-key-file' : ''}`;
}

function configOf(given: ServeArguments): Omit<ServeConfig, 'log'> {
  const named = given.model === undefined ? [] : [given.model].flat();
  return {
    host: given.host ?? DEFAULT_HOST,
    port: given.port ?? DEFAULT_PORT,
    models: named.length === 0 ? [{ folder: undefined }] : named.map(modelChoice),
    precision: given.precision,
    threads: given.threads === undefined ? undefined : positive('--threads', given.threads),
    maxTokens: given.maxTokens,
    batches: batchesOf(given),
    limits: limitsOf(given),
    acceptTokenIds: given.acceptTokenIds ?? false,
    apiKeyFile: given.apiKeyFile,
    engineScript: new URL('./engine-process.js', import.meta.url),
  };
}

function batchesOf({ maxBatchTokens, maxBatchSize, maxWaitMs }: ServeArguments): BatchConfig {
  const of = DEFAULT_BATCHES;
  return {
    maxTokens: positive('--max-batch-tokens', maxBatchTokens ?? of.maxTokens),
    maxRows: positive('--max-batch-size', maxBatchSize ?? of.maxRows),
    maxWaitMs: maxWaitMs ?? of.maxWaitMs,
  };
}

function limitsOf(given: ServeArguments): ServeLimits {
  const of = DEFAULT_LIMITS;
  return {
    maxBodyBytes: given.maxBody ?? of.maxBodyBytes,
    maxTexts: positive('--max-texts', given.maxTexts ?? of.maxTexts),
    maxCharacters: positive('--max-characters', given.maxCharacters ?? of.maxCharacters),
    maxQueueTokens: positive('--max-queue-tokens', given.maxQueueTokens ?? of.maxQueueTokens),
    maxQueueMs: given.maxQueueTime ?? of.maxQueueMs,
    maxConnections: positive('--max-connections', given.maxConnections ?? of.maxConnections),
    maxHeldBytes: given.maxHeld ?? of.maxHeldBytes,
    timeoutMs: given.timeout ?? of.timeoutMs,
    headerTimeoutMs: given.headerTimeout ?? of.headerTimeoutMs,
    bodyTimeoutMs: given.bodyTimeout ?? of.bodyTimeoutMs,
    idleTimeoutMs: given.idleTimeout ?? of.idleTimeoutMs,
  };
}
