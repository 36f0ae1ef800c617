// Inputs as a user names them (files, globs, folders, "-") become one stream of records.
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { glob } from 'tinyglobby';
import { EmbedkitError, messageOf } from '../errors.js';
import { FORMAT_NAMES, FORMATS, type FormatName, formatOf, type ReadOptions } from './formats.js';
import type { Item } from './record.js';
import type { ReadProgress, Source } from './source.js';

export interface InputOptions {
  /** Format of every input; undefined: by extension. */
  readonly from: FormatName | undefined;
  /** What "-" stands for. */
  readonly stdin: Readable | undefined;
}

export interface Input {
  readonly source: Source;
  readonly format: FormatName;
}

/**
 * Finds the inputs that the arguments name, in order; the files of a glob or folder in code-point order of their paths.
 * Throws `input-not-found`, or `usage` for an input whose format nothing tells.
 */
export async function resolveInputs(names: readonly string[], options: InputOptions): Promise<Input[]> {
  const inputs: Input[] = [];
  for (const name of names) inputs.push(...(await resolveInput(name, options)));
  return inputs;
}

async function resolveInput(name: string, options: InputOptions): Promise<Input[]> {
  if (name === '-') return [standardInput(options)];
  const info = await stat(name).catch(() => undefined);
  if (info?.isDirectory()) return folder(name, options);
  if (info !== undefined) return [file(name, info.isFile() ? info.size : 0, options)];
  const matches = /[*?[{]/.test(name) ? await filesOf(name) : [];
  if (matches.length > 0) return Promise.all(matches.map((path) => sizedFile(path, options)));
  const hint = 'check the path (quote a glob so that the shell leaves it alone)';
  throw new EmbedkitError('input-not-found', `no file, folder or match for "${name}"`, { hint });
}

// Of a folder, files and folders that start with "." or "_" (markers, temporaries) are no input, as with Spark and DuckDB.
const PASSED_OVER = ['**/_*', '**/.*'];

async function folder(path: string, options: InputOptions): Promise<Input[]> {
  const found = await filesOf('**/*', { cwd: path, ignore: PASSED_OVER });
  const readable = options.from === undefined ? found.filter((name) => formatOf(name) !== undefined) : found;
  if (readable.length > 0) return Promise.all(readable.map((name) => sizedFile(`${path.replace(/\/+$/, '')}/${name}`, options)));
  const hint = `embedkit reads ${FORMAT_NAMES.join(', ')} (name another extension's format with --from)`;
  throw new EmbedkitError('input-not-found', `folder "${path}" holds no file that can be read`, { hint });
}

async function filesOf(pattern: string, options: { cwd?: string; ignore?: string[] } = {}): Promise<string[]> {
  const found = await glob(pattern, { ...options, expandDirectories: false });
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

async function sizedFile(path: string, options: InputOptions): Promise<Input> {
  return file(path, (await stat(path)).size, options);
}

function file(path: string, bytes: number, options: InputOptions): Input {
  const named = formatOf(path);
  const format = options.from ?? named?.format;
  if (format === undefined) {
    const hint = `say its format with --from (${FORMAT_NAMES.join(', ')})`;
    throw new EmbedkitError('usage', `the name "${path}" does not tell a format`, { hint });
  }
  const compression = FORMATS[format].text ? named?.compression : 'none';
  const known = compression === 'none' ? undefined : compression;
  return { source: { name: path, path, stream: undefined, compression: known, bytes }, format };
}

function standardInput(options: InputOptions): Input {
  if (options.stdin === undefined) throw new EmbedkitError('usage', 'standard input is not available here');
  const source = { name: 'standard input', path: undefined, stream: options.stdin, compression: undefined, bytes: 0 };
  return { source, format: options.from ?? 'jsonl' };
}

/** All rows of the inputs in order, some at a time; bad ones among them. */
export async function* readRecords(inputs: readonly Input[], options: ReadOptions, progress: ReadProgress): AsyncGenerator<Item[]> {
  for (const { source, format } of inputs) {
    try {
      yield* FORMATS[format].read(source, options, progress);
    } catch (error) {
      if (error instanceof EmbedkitError) throw error;
      const hint = 'check that it exists and may be read';
      throw new EmbedkitError('input-unreadable', `${source.name}: ${messageOf(error)}`, { hint, cause: error });
    }
  }
}
