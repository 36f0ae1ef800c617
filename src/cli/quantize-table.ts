// What a terminal shows of a quantization: the verdict, figures against thresholds, sets, size and speed. Plain text, at most WIDTH columns.

import { printable } from '../format.js';
import type { QuantizeReport } from '../quantize/report.js';
import { type Check, checksOf, evaluatedRows, sizeOf, speedOf, speedWarning, verdictOf } from '../quantize/report-figures.js';
import { aligned, lengthOf } from './aligned.js';

const WIDTH = 100;
/** Names of sets are files' names: cut where they would push the figures off the screen. */
const NAME_WIDTH = 34;
const INDENT = '  ';

/** Lines without a line feed at the end. */
export function quantizeTable(report: QuantizeReport): string {
  const { failures, keptInFp32 } = report.gate;
  const warning = speedWarning(report);
  const lines = [
    ...wrapped(`${printable(report.name)}: ${verdictOf(report)}`, ''),
    ...failures.flatMap((failure) => wrapped(printable(failure), `${INDENT}- `)),
    '',
    ...heldOutLines(report),
    ...evaluatedLines(report),
    '',
    ...costLines(report),
    ...(keptInFp32.length === 0 ? [] : wrapped(printable(keptInFp32.join(', ')), 'fp32   ')),
    ...(warning === undefined ? [] : wrapped(warning, 'WARNING: ')),
  ];
  return lines.join('\n');
}

function heldOutLines(report: QuantizeReport): string[] {
  const rows = checksOf(report).map((check) => [check.what, check.found, check.least, mark(check)]);
  return aligned([['held-out texts', 'found', 'at least', ''], ...rows], 1);
}

function evaluatedLines(report: QuantizeReport): string[] {
  const rows = evaluatedRows(report).map((row) => [shortened(row.what), row.metric, row.full, row.int8, row.found, row.least, mark(row)]);
  return rows.length === 0 ? [] : ['', ...aligned([['labelled set', 'metric', 'full', 'INT8', 'kept', 'at least', ''], ...rows], 2)];
}

function mark({ met }: Check): string {
  return met ? 'met' : 'NOT MET';
}

function costLines(report: QuantizeReport): string[] {
  const size = sizeOf(report);
  const speed = speedOf(report);
  return [
    `size   ${size.full} -> ${size.int8} (${size.share})`,
    ...wrapped(`${speed.full} -> ${speed.int8}: ${speed.ratio} (${speed.rounds} rounds: ${speed.slowest} to ${speed.fastest})`, 'speed  '),
    ...wrapped(speed.conditions, '       '),
  ];
}

function shortened(name: string): string {
  const points = [...printable(name)];
  return points.length <= NAME_WIDTH ? points.join('') : `${points.slice(0, NAME_WIDTH - 1).join('')}…`;
}

/** Lines of at most WIDTH columns that start with `first`, then with as many spaces; words longer than a line are cut. */
function wrapped(text: string, first: string): string[] {
  const room = WIDTH - first.length;
  const words = text.split(' ').flatMap((word) => pieces(word, room));
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line !== undefined && lengthOf(line) + 1 + lengthOf(word) <= room) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line, at) => (at === 0 ? first : ' '.repeat(first.length)) + line);
}

function pieces(word: string, room: number): string[] {
  const points = [...word];
  const count = Math.max(1, Math.ceil(points.length / room));
  return Array.from({ length: count }, (_, at) => points.slice(at * room, (at + 1) * room).join(''));
}
