// `embedkit bench`: reads the arguments, measures or tunes, prints the table.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Baseline } from '../bench/baseline.js';
import type { BenchOptions } from '../bench/options.js';
import { EmbedkitError, wrapError } from '../errors.js';
import type { BenchArguments } from './bench-flags.js';
import { benchServer } from './bench-url.js';
import { abortOnSignals } from './signals.js';

const PROGRAM = new URL('../../bin/embedkit.js', import.meta.url);
/** Text of this package that the texts of fixed length are made of. */
const WORDS = fileURLToPath(new URL('../../calibration/default.txt', import.meta.url));

/** Runs `bench`; throws EmbedkitError. */
export async function bench(given: BenchArguments): Promise<void> {
  await checkPlace('--json', given.json);
  await checkPlace('--html', given.html);
  const signals = abortOnSignals();
  const { benchView } = await import('./bench-progress.js');
  const view = benchView(process.stderr, given.quiet ?? false);
  try {
    if (given.url !== undefined) {
      const keep = (text: string): Promise<void> => (given.json === undefined ? Promise.resolve() : write(given.json, text));
      return void process.stdout.write(`${await benchServer(given.url, given, signals.signal, keep)}\n`);
    }
    const options = { ...(await optionsOf(given)), signal: signals.signal, onProgress: view.progress };
    const text = given.tune ? await tuned(options, given) : await measured(options, given);
    view.close();
    process.stdout.write(`${text}\n`);
  } finally {
    view.close();
    signals.release();
  }
}

/** Measures, writes what was asked for, and returns the table. */
async function measured(options: BenchOptions, { json, html }: BenchArguments): Promise<string> {
  const { runBench } = await import('../bench/run.js');
  const result = await runBench(options);
  if (json !== undefined) await write(json, `${JSON.stringify(result)}\n`);
  if (html !== undefined) {
    const { reportHtml } = await import('../bench/report-html.js');
    await write(html, await reportHtml(result));
  }
  const { benchTable } = await import('./bench-table.js');
  return benchTable(result);
}

async function tuned(options: BenchOptions, { json, html }: BenchArguments): Promise<string> {
  if (html !== undefined) throw new EmbedkitError('usage', '--html with --tune', { hint: 'leave one of them out: tuning has no page' });
  const { runTune } = await import('../bench/run-tune.js');
  const result = await runTune(options);
  if (json !== undefined) await write(json, `${JSON.stringify(result)}\n`);
  const { tuneText } = await import('./bench-tune.js');
  return tuneText(result);
}

async function optionsOf(given: BenchArguments): Promise<BenchOptions> {
  const { model, variants, pooling, threads, batch, tokens, corpus, textField, pricePerHour, claim, curves } = given;
  const { seconds, turnSeconds, within } = given;
  return {
    ...{ model, variants, pooling, threads, batch, tokens, corpus, textField, pricePerHour, claim, curves },
    ...{ seconds, turnSeconds, within },
    baseline: await baselineOf(given),
    wordsFile: WORDS,
    script: new URL('./bench-worker.js', import.meta.url),
    serveProgram: given.serve ? PROGRAM : undefined,
  };
}

async function baselineOf({
  baselineUrl: url,
  baselineModel: model,
  baselineKeyFile: keyFile,
}: BenchArguments): Promise<Baseline | undefined> {
  if (url === undefined) {
    if (model === undefined && keyFile === undefined) return undefined;
    throw new EmbedkitError('usage', 'a baseline without --baseline-url', { hint: 'say where the API is, or leave the others out' });
  }
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new EmbedkitError('usage', `--baseline-url ${url}: not a web address`, { hint: 'write it like https://api.example.com/v1' });
  }
  if (model === undefined)
    throw new EmbedkitError('usage', '--baseline-url without --baseline-model', { hint: 'name the model to ask for' });
  return { url, model, key: keyFile === undefined ? undefined : await readKey(keyFile) };
}

async function readKey(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw wrapError(error, 'input-not-found', `--baseline-key-file ${path}`, 'name a file that holds the key');
  });
  if (/^[\x21-\x7e]+$/.test(text.trim())) return text.trim();
  throw new EmbedkitError('usage', `--baseline-key-file ${path}: not one line with a key`, {
    hint: 'put the key and nothing else into it',
  });
}

/** Minutes of work should not end at a folder that is not there. */
async function checkPlace(flag: string, path: string | undefined): Promise<void> {
  if (path === undefined || (await stat(dirname(resolve(path))).catch(() => undefined))?.isDirectory()) return;
  throw new EmbedkitError('usage', `${flag} ${path}: there is no folder ${dirname(path)}`, { hint: 'make it first' });
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((error: unknown) => {
    throw wrapError(error, 'output-unwritable', `${path}: cannot be written`, 'name another place');
  });
}
