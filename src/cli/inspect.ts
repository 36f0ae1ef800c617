// `embedkit inspect`: its flags, and what an output is, as text for people or as one JSON object.

import { count, countOf, mebibytes, printable } from '../format.js';
import type { Inspection } from '../inspect/survey.js';
import type { VectorRanges } from '../model/manifest.js';
import type { Flag } from './flags.js';
import type { LogFormat } from './report.js';

/** How the two commands that read an output print what they found. */
export const RESULT_FLAGS: readonly Flag[] = [
  { flags: '--json', help: 'print one JSON object; the same as --log-format json' },
  { flags: '--log-format <format>', help: 'how the result is printed', fallback: 'text', choices: ['text', 'json'] },
];

export const INSPECT_FLAGS: readonly Flag[] = RESULT_FLAGS;

export interface InspectArguments {
  readonly json?: boolean;
  readonly logFormat?: LogFormat;
}

/** Runs `inspect`; throws EmbedkitError. */
export async function inspect(path: string, given: InspectArguments): Promise<void> {
  const { inspectOutput } = await import('../inspect/survey.js');
  const inspection = await inspectOutput(path);
  process.stdout.write(`${asksForJson(given) ? JSON.stringify(inspection) : inspectionText(inspection)}\n`);
}

export function asksForJson({ json, logFormat }: InspectArguments): boolean {
  return json === true || logFormat === 'json';
}

/** Of the provenance these are shown first, in this order; then all others. */
const FIRST_FACTS = ['model', 'precision', 'fingerprint', 'dim', 'dtype', 'normalize', 'prompt', 'max_tokens', 'on_overflow', 'text'];

export function inspectionText(found: Inspection): string {
  const duplicates = `${found.duplicateHashesIsExact ? '' : 'at least '}${count(found.duplicateHashes)}`;
  return [
    `${printable(found.file)}: ${found.format}, ${countOf(found.rows, 'row')}, ${mebibytes(found.bytes)}`,
    ...section('provenance', provenanceLines(found)),
    ...section('columns', aligned(found.columns.map(({ name, type }) => [name, type]))),
    ...section(
      'counts',
      aligned([
        ['rows', count(found.rows)],
        ['truncated', `${countOf(found.truncatedRows, 'row')}`],
        ['tokens', count(found.tokens)],
        ['duplicates', `${duplicates} rows with the content hash of an earlier one`],
      ]),
    ),
    ...section('quarantine', quarantineLines(found)),
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return [title, ...lines.map((line) => `  ${line}`)];
}

function aligned(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...pairs.map(([name]) => printable(name).length));
  return pairs.map(([name, value]) => `${printable(name).padEnd(width)}  ${printable(value)}`);
}

function provenanceLines({ provenance, format }: Inspection): string[] {
  if (!provenance) return [`none: ${format} has no place for it`];
  const others = Object.keys(provenance).filter((name) => !FIRST_FACTS.includes(name));
  return aligned([...FIRST_FACTS, ...others].map((name) => [name, shown(shortened(name, provenance[name]))]));
}

/** Hundreds of numbers are for --json. */
function shortened(name: string, value: unknown): unknown {
  if (name !== 'int8_ranges' || value === null || typeof value !== 'object') return value;
  const { minimum, texts, calibration_digest: digest } = value as VectorRanges;
  return `of ${count(minimum.length)} values, from ${countOf(texts, 'text')} (digest ${digest.slice(0, 12)}); --json has them`;
}

function shown(value: unknown): string {
  if (value === '') return '(none)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function quarantineLines({ quarantine }: Inspection): string[] {
  if (quarantine === null) return ['none beside the file'];
  const codes = Object.entries(quarantine.codes).map(([code, rows]) => `${count(rows)} ${printable(code)}`);
  const rest = quarantine.rows - quarantine.first.length;
  return [
    `${printable(quarantine.path)}: ${countOf(quarantine.rows, 'row')} (${codes.join(', ')})`,
    ...quarantine.first.map(({ code, message }) => `  ${printable(`${code}: ${message}`)}`),
    ...(rest > 0 ? [`  and ${count(rest)} more`] : []),
  ];
}
