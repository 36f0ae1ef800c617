// The flags of `bench` and of `bench compare`.
import { InvalidArgumentError } from 'commander';
import { type Claim, parseClaim } from '../bench/claim.js';
import { DEFAULTS } from '../bench/options.js';
import { DEFAULT_MODEL } from '../model/names.js';
import { POOLINGS, type Pooling } from '../vectors/pool.js';
import { type Flag, list, percentage, wholeNumber } from './flags.js';
import { LOAD_FLAGS, type LoadArguments } from './load-flags.js';

export const BENCH_FLAGS: readonly Flag[] = [
  {
    flags: '--threads <n>',
    help: 'engine threads, the same for every model',
    fallback: 'the CPUs this process may use',
    parse: wholeNumber,
  },
  { flags: '--batch <n>', help: 'texts a batch', fallback: String(DEFAULTS.batch), parse: wholeNumber },
  { flags: '--tokens <n>', help: 'tokens a text, special tokens included', fallback: String(DEFAULTS.tokens), parse: wholeNumber },
  { flags: '--corpus <file>', help: 'measure a sample of these texts too, in any format that embed reads: a real mix of lengths' },
  { flags: '--text-field <name>', help: 'field of the corpus that holds the text', fallback: 'text' },
  {
    flags: '--variants <names>',
    help: 'what to measure: int8, fp32, model folders (FOLDER@fp32 for its full precision), ONNX files',
    fallback: 'fp32,int8, as far as the model has them',
    parse: list,
  },
  { flags: '--model <folder>', help: 'the model whose int8 and fp32 are measured', fallback: DEFAULT_MODEL },
  { flags: '--pooling <how>', help: 'of ONNX files with nothing beside them that says so', choices: POOLINGS },
  { flags: '--baseline-url <url>', help: 'measure an API that speaks /v1/embeddings beside them; it may cost money' },
  { flags: '--baseline-model <name>', help: 'model to ask the API for' },
  { flags: '--baseline-key-file <file>', help: 'file that holds the key of the API' },
  { flags: '--price-per-hour <price>', help: 'what the machine costs an hour, in any currency', parse: decimal },
  {
    flags: '--claim <text>',
    help: 'what a claim needs, and whether this machine could: "4200 emb/s at 50 tokens on 4 cores"',
    parse: parseClaim,
  },
  {
    flags: '--seconds <n>',
    help: 'no round begins that would end later; one always runs',
    fallback: String(DEFAULTS.seconds),
    parse: decimal,
  },
  { flags: '--turn-seconds <n>', help: 'time for each measurement of a round', fallback: String(DEFAULTS.turnSeconds), parse: decimal },
  {
    flags: '--within <share>',
    help: 'rounds end when speeds and latencies are known to this',
    fallback: `${100 * DEFAULTS.within}%`,
    parse: percentage,
  },
  {
    flags: '--curves',
    help: 'measure all numbers of threads, texts of 8 to 512 tokens and batches of 1 to 64 too; --html draws them',
  },
  {
    flags: '--tune',
    help: 'find the --threads, --threads-per-worker and --batch-tokens of embed that are fastest here on the --corpus',
  },
  { flags: '--serve', help: 'measure single texts over HTTP too, from embedkit serve on this machine' },
  { flags: '--url <server>', help: 'measure a server that runs, as embedkit load does: with --seconds a rate (10) and these' },
  ...LOAD_FLAGS.filter(({ flags }) => /^--(rates|mix|beyond|limit-ms|api-key-file) /.test(flags)),
  { flags: '--html <file>', help: 'write one page with plots' },
  { flags: '--json <file>', help: 'write every sample, the machine and the figures; what bench compare reads' },
  { flags: '--quiet', help: 'print the table only' },
];

/** The options as commander names them. */
export interface BenchArguments extends Pick<LoadArguments, 'rates' | 'mix' | 'beyond' | 'limitMs' | 'apiKeyFile'> {
  readonly url?: string;
  readonly threads?: number;
  readonly batch?: number;
  readonly tokens?: number;
  readonly corpus?: string;
  readonly textField?: string;
  readonly variants?: string[];
  readonly model?: string;
  readonly pooling?: Pooling;
  readonly baselineUrl?: string;
  readonly baselineModel?: string;
  readonly baselineKeyFile?: string;
  readonly pricePerHour?: number;
  readonly claim?: Claim;
  readonly seconds?: number;
  readonly turnSeconds?: number;
  readonly within?: number;
  readonly curves?: boolean;
  readonly tune?: boolean;
  readonly serve?: boolean;
  readonly json?: string;
  readonly html?: string;
  readonly quiet?: boolean;
}

// Not --json, which is a flag of bench itself and would be taken for it.
export const COMPARE_FLAGS: readonly Flag[] = [
  { flags: '--log-format <format>', help: 'how the result is printed', fallback: 'text', choices: ['text', 'json'] },
];

/** "0.096" -> 0.096. */
function decimal(text: string): number {
  const value = Number(text);
  if (/^\d*\.?\d+$/.test(text.trim())) return value;
  throw new InvalidArgumentError(`"${text}" is not a number like 0.5`);
}
