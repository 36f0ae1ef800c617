// `embedkit evaluate`: reads the arguments, evaluates, prints the table, writes the reports, and fails where the gate says no.
import { stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EmbedkitError, wrapError } from '../errors.js';
import type { EvaluationReport } from '../evaluate/report.js';
import { printable } from '../format.js';
import type { EvaluateArguments } from './evaluate-flags.js';
import { abortOnSignals } from './signals.js';

/** Runs `evaluate`; throws EmbedkitError, `gate-failed` where a term of the gate does not hold. */
export async function evaluate(given: EvaluateArguments): Promise<void> {
  const { json, html, record, quiet = false, logFormat = 'text', ...asked } = given;
  for (const [flag, path] of Object.entries({ '--json': json, '--html': html })) await checkPlace(flag, path);
  const signals = abortOnSignals();
  try {
    const { evaluateModels } = await import('../evaluate/run.js');
    const report = await evaluateModels({ ...asked, signal: signals.signal, onStep: quiet ? undefined : stepWriter(logFormat) });
    if (json !== undefined) await write(json, `${JSON.stringify(report, null, 2)}\n`);
    if (html !== undefined) await write(html, (await import('../evaluate/report-html.js')).evaluationHtml(report));
    if (record) await (await import('../evaluate/record.js')).recordScores(given.model, report);
    if (!quiet) await print(report, logFormat);
    const { failures } = report.gate;
    if (failures.length === 0) return;
    throw new EmbedkitError('gate-failed', `the gate said no: ${failures.join('; ')}`, { hint: 'see the texts that fell most in --html' });
  } finally {
    signals.release();
  }
}

/** Minutes of work should not end at a folder that is not there. */
async function checkPlace(flag: string, path: string | undefined): Promise<void> {
  if (path === undefined || (await stat(dirname(resolve(path))).catch(() => undefined))?.isDirectory()) return;
  throw new EmbedkitError('usage', `${flag} ${path}: there is no folder ${dirname(path)}`, { hint: 'make it first' });
}

function stepWriter(format: 'text' | 'json'): (step: string) => void {
  return (step) => {
    process.stderr.write(`${format === 'json' ? JSON.stringify({ event: 'step', step }) : printable(step)}\n`);
  };
}

async function print(report: EvaluationReport, format: 'text' | 'json'): Promise<void> {
  const { evaluationTable } = await import('./evaluate-table.js');
  process.stdout.write(`${format === 'json' ? JSON.stringify(report) : evaluationTable(report)}\n`);
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((error: unknown) => {
    throw wrapError(error, 'output-unwritable', `${path}: the report cannot be written`, 'check space and permissions');
  });
}
