// The flags of `load`.
import { InvalidArgumentError } from 'commander';
import { MIXES, type MixName } from '../load/mixes.js';
import { type Flag, list, wholeNumber } from './flags.js';
import { type InspectArguments, RESULT_FLAGS } from './inspect.js';

export const LOAD_FLAGS: readonly Flag[] = [
  {
    flags: '--rates <list>',
    help: 'requests per second, like 10,20,40, lowest first until one is too much',
    fallback: 'doubled and narrowed until the knee is found',
    parse: numbers,
  },
  { flags: '--seconds <n>', help: 'time measured at each rate', fallback: '10', parse: wholeNumber },
  { flags: '--warm-up <n>', help: 'seconds before that, not measured', fallback: '2', parse: wholeNumber },
  { flags: '--mix <name>', help: 'lengths of the texts, 50 tokens on average in each mix', fallback: 'fixed', choices: Object.keys(MIXES) },
  { flags: '--texts-per-request <n>', help: 'texts in a request', fallback: '1', parse: wholeNumber },
  { flags: '--timeout-ms <n>', help: 'a request counts as hung after this', fallback: '10,000', parse: wholeNumber },
  { flags: '--limit-ms <n>', help: 'a rate whose P99 is above this counts as not kept up with', fallback: 'none', parse: wholeNumber },
  { flags: '--beyond <list>', help: 'multiples of the knee to run after it, like 1.5,2', fallback: 'none', parse: numbers },
  { flags: '--seed <n>', help: 'of arrivals and texts', fallback: '1', parse: wholeNumber },
  { flags: '--model <name>', help: 'model to ask for', fallback: "the server's first" },
  { flags: '--api-key-file <file>', help: 'file with the key to send', fallback: 'none' },
  { flags: '--quiet', help: 'no line a rate on standard error' },
  ...RESULT_FLAGS,
];

/** The options as commander names them. */
export interface LoadArguments extends InspectArguments {
  readonly rates?: number[];
  readonly seconds?: number;
  readonly warmUp?: number;
  readonly mix?: MixName;
  readonly textsPerRequest?: number;
  readonly timeoutMs?: number;
  readonly limitMs?: number;
  readonly beyond?: number[];
  readonly seed?: number;
  readonly model?: string;
  readonly apiKeyFile?: string;
  readonly quiet?: boolean;
}

function numbers(text: string): number[] {
  return list(text).map((entry) => {
    if (/^\d+(\.\d+)?$/.test(entry)) return Number(entry);
    throw new InvalidArgumentError(`"${entry}" is not a number like 20 or 1.5`);
  });
}
