// `embedkit verify`: reads the arguments, verifies, prints each check, and fails with one sentence where one does not hold.
import { EmbedkitError } from '../errors.js';
import { count, countOf, printable } from '../format.js';
import type { Check } from '../inspect/check.js';
import { type Verification, verifyOutput } from '../inspect/verify.js';
import { asksForJson } from './inspect.js';
import { abortOnSignals } from './signals.js';
import type { VerifyArguments } from './verify-flags.js';

/** Runs `verify`; throws EmbedkitError, `not-as-claimed` where a check does not hold. */
export async function verify(path: string, given: VerifyArguments): Promise<void> {
  const signals = abortOnSignals();
  try {
    const { against: paths, from, textField, template, idField, limit, shard, maxLineBytes } = given;
    const { model, precision, prompt, maxTokens, onOverflow, chunkTokens, chunkOverlap, dtype, threads } = given;
    const verification = await verifyOutput(path, {
      against: paths && { paths, stdin: process.stdin, from, textField, template, idField, limit, shard, maxLineBytes },
      sample: given.sample,
      model: { model, precision, prompt, maxTokens, onOverflow, chunkTokens, chunkOverlap, dtype, threads },
      signal: signals.signal,
    });
    process.stdout.write(`${asksForJson(given) ? JSON.stringify(verification) : verificationText(verification)}\n`);
    if (!verification.holds) throw notAsClaimed(verification);
  } finally {
    signals.release();
  }
}

export function verificationText({ file, format, rows, checks, input, unchecked }: Verification): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const aside = input && `${countOf(input.items, 'row')} of the input read, ${count(input.putAside)} of them rightly not in the output`;
  return [
    `${printable(file)}: ${format}, ${countOf(rows, 'row')}`,
    ...checks.flatMap((check) => checkLines(check, width)),
    ...(aside === null ? [] : [aside]),
    ...unchecked.map((note) => `not checked: ${printable(note)}`),
  ].join('\n');
}

function checkLines(check: Check, width: number): string[] {
  const { name, claim, unit, checked, differ, first, faults } = check;
  const counted = unit === 'rows' ? `${countOf(checked, 'row')} checked, ${count(differ)} differ` : differ > 0 ? 'differs' : 'holds';
  const rest = differ - first.length - faults.length;
  return [
    `  ${name.padEnd(width)}  ${counted} (${printable(claim)})`,
    ...faults.map((fault) => `    ${printable(fault)}`),
    ...first.map(({ row, id, found }) => `    row ${row}, id ${printable(id)}: ${printable(found)}`),
    ...(rest > 0 ? [`    and ${count(rest)} more`] : []),
  ];
}

/** The sentence names the first check that does not hold: what comes after it may only follow from it. */
function notAsClaimed({ file, checks }: Verification): EmbedkitError {
  const failing = checks.filter(({ differ }) => differ > 0);
  const [first] = failing as [Check];
  const { name, checked, differ, first: rows, faults } = first;
  const [example] = rows;
  const found =
    example && `${name} of ${count(differ)} of ${countOf(checked, 'row')} differ, the first at row ${example.row} (id ${example.id})`;
  const others = failing.slice(1).map((check) => check.name);
  const also = others.length > 0 ? ` (also: ${others.join(', ')})` : '';
  return new EmbedkitError('not-as-claimed', `${file} is not what it claims: ${found ?? faults[0]}${also}`, { hint: hintFor(name) });
}

const HINTS: Record<string, string> = {
  fingerprint: 'name the model that made it with --model, or embed the input again',
  ids: 'name the input, --id-field, --limit and --shard as the run did, or embed the input again',
  texts: 'name the input, its options, --limit and --shard as the run did, or embed the input again',
  input: 'name --limit and --shard as the run did, or embed the input again',
};

function hintFor(name: string): string {
  return HINTS[name] ?? 'embed the input again';
}
