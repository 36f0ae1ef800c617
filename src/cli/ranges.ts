// `embedkit ranges`: its flags; reads the arguments, records the ranges, says so.
import { fileURLToPath } from 'node:url';
import { countOf, printable } from '../format.js';
import { FORMAT_NAMES, type FormatName } from '../records/formats.js';
import { type Flag, wholeNumber } from './flags.js';
import { abortOnSignals } from './signals.js';

export const RANGES_FLAGS: readonly Flag[] = [
  { flags: '--calib <file...>', help: 'calibration text, in any format that embed reads', fallback: 'the text that comes with embedkit' },
  { flags: '--from <format>', help: 'format of the calibration files', fallback: 'by extension', choices: FORMAT_NAMES },
  { flags: '--text-field <name>', help: 'field that holds the text', fallback: 'text' },
  { flags: '--template <text>', help: 'text made of several fields, like "{title}\\n{text}"' },
  { flags: '--threads <n>', help: 'engine threads', fallback: 'the CPUs this process may use', parse: wholeNumber },
  { flags: '--quiet', help: 'print errors only' },
];

export interface RangesArguments {
  readonly calib?: string[];
  readonly from?: FormatName;
  readonly textField?: string;
  readonly template?: string;
  readonly threads?: number;
  readonly quiet?: boolean;
}

const DEFAULT_CALIBRATION = fileURLToPath(new URL('../../calibration/default.txt', import.meta.url));

/** Runs `ranges`; throws EmbedkitError. */
export async function ranges(model: string, given: RangesArguments): Promise<void> {
  const { calib: paths = [DEFAULT_CALIBRATION], from, textField, template, threads } = given;
  const signals = abortOnSignals();
  try {
    const { recordRanges } = await import('../quantize/vector-ranges.js');
    const calibration = { paths, from, stdin: process.stdin, textField, template };
    const made = await recordRanges({ model, calibration, threads, signal: signals.signal });
    if (given.quiet) return;
    const lengths = made.ranges.map(({ minimum }) => minimum.length).join(', ');
    const texts = countOf(made.ranges[0]?.texts ?? 0, 'text');
    process.stderr.write(`${printable(made.folder)}: ranges of ${texts} recorded, for vectors of ${lengths} values\n`);
  } finally {
    signals.release();
  }
}
