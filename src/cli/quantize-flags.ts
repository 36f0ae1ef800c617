// The flags of `quantize`.
import { InvalidArgumentError } from 'commander';
import { FORMAT_NAMES } from '../records/formats.js';
import { POOLINGS } from '../vectors/pool.js';
import { type Flag, list, wholeNumber } from './flags.js';

export const QUANTIZE_FLAGS: readonly Flag[] = [
  { flags: '--calib <file...>', help: 'calibration text, in any format that embed reads', fallback: 'the text that comes with embedkit' },
  { flags: '-o, --output <folder>', help: 'model folder to write', fallback: './<name>-int8' },
  { flags: '--samples <n>', help: 'texts used; a fifth of them is held out for the gate', fallback: '1,000', parse: wholeNumber },
  { flags: '--max-length <n>', help: 'longest text in tokens', fallback: "the model's", parse: wholeNumber },
  {
    flags: '--weights <range>',
    help: 'safe: exact on every CPU; vnni: plain 8 bits, exact with VNNI only; 7bit: the usual reduced range',
    fallback: 'safe',
    choices: ['safe', 'vnni', '7bit'],
  },
  {
    flags: '--format <form>',
    help: 'fused: fastest here; qdq: standard operators for other runtimes',
    fallback: 'fused',
    choices: ['fused', 'qdq'],
  },
  { flags: '--eval <path...>', help: 'labelled sets to score on: STS files (score, a, b by tabs), BEIR folders' },
  {
    flags: '--gate <figures>',
    help: 'least figures to pass, like mean=.998,p1=.995,min=.98,overlap=.9,kept=.99',
    fallback: 'those',
    parse: gateThresholds,
  },
  {
    flags: '--control <file>',
    help: 'text that the gate judges on as well, or none (for a model of another language, say)',
    fallback: 'the text that comes with embedkit',
  },
  { flags: '--report <file>', help: 'HTML page to write; the same as JSON beside it', fallback: '<output>.report.html' },
  { flags: '--verify-saturation', help: 'only prove, on a finished model, that 16-bit sums cannot saturate' },
  { flags: '--pooling <how>', help: 'for an ONNX file with nothing beside it that says so', choices: POOLINGS },
  { flags: '--from <format>', help: 'format of the calibration files', fallback: 'by extension', choices: FORMAT_NAMES },
  { flags: '--text-field <name>', help: 'field that holds the text', fallback: 'text' },
  { flags: '--id-field <name>', help: 'field that holds the id; a row with a bad id is left out, as in embed', fallback: 'id or _id' },
  { flags: '--template <text>', help: 'text made of several fields, like "{title}\\n{text}"' },
  { flags: '--threads <n>', help: 'threads', fallback: 'the CPUs this process may use', parse: wholeNumber },
  { flags: '--overwrite', help: 'replace the INT8 model, or the output folder' },
  { flags: '--quiet', help: 'print errors only' },
  { flags: '--log-format <format>', help: 'how progress and result are printed', fallback: 'text', choices: ['text', 'json'] },
];

/** Name on the command line -> threshold. */
const THRESHOLDS = { mean: 'mean', p1: 'p1', min: 'minimum', overlap: 'overlap', kept: 'kept' } as const;

/** "mean=.998,min=.98" -> { mean: 0.998, minimum: 0.98 }. */
function gateThresholds(text: string): Record<string, number> {
  const entries = list(text).map((entry) => {
    const [name, value] = entry.split('=').map((part) => part.trim()) as [string, string | undefined];
    const threshold = Object.hasOwn(THRESHOLDS, name) ? THRESHOLDS[name as keyof typeof THRESHOLDS] : undefined;
    const least = value ? Number(value) : Number.NaN;
    if (threshold !== undefined && least >= -1 && least <= 1) return [threshold, least] as const;
    throw new InvalidArgumentError(`"${entry}" is not a figure of the gate; write ${Object.keys(THRESHOLDS).join(', ')} like mean=.998`);
  });
  return Object.fromEntries(entries);
}
