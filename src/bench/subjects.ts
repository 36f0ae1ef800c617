// Which models are measured: names on the command line become models that can be opened, each checked before anything is measured.
import { basename, join } from 'node:path';
import { EmbedkitError } from '../errors.js';
import { type ModelFolder, openFolder, readManifest } from '../model/folder.js';
import { DEFAULT_MODEL, MANIFEST_NAME, PRECISIONS, type Precision } from '../model/names.js';
import { isThere } from '../there.js';
import type { Pooling } from '../vectors/pool.js';
import { looseFolder } from './loose.js';
import type { ModelSpec } from './protocol.js';

/** A model that is measured. */
export interface Subject {
  /** As it was asked for; unique. */
  readonly name: string;
  /** Head of its column. */
  readonly label: string;
  readonly spec: ModelSpec;
  readonly folder: ModelFolder;
  /** Of the model's files, without the tokenizer. */
  readonly bytes: number;
}

const LABELS: Readonly<Record<Precision, string>> = { fp32: 'full precision', int8: 'INT8' };

/** Where none are asked for: all that the model has, or `only` where it has that. Opens no engine, but checks the files of each. Throws `usage` for a name that is none. */
export async function findSubjects(
  model: string = DEFAULT_MODEL,
  asked: readonly string[] | undefined,
  pooling: Pooling | undefined,
  only?: Precision,
): Promise<Subject[]> {
  const names = [...new Set(asked ?? (await usualNames(model, only)))];
  const subjects: Subject[] = [];
  for (const name of names) subjects.push(await findSubject(name, model, pooling));
  return subjects;
}

async function usualNames(model: string, only: Precision | undefined): Promise<Precision[]> {
  const own = await precisionsOf(model);
  return only !== undefined && own.includes(only) ? [only] : own;
}

/** What a model has; full precision first, as the table shows them. */
async function precisionsOf(model: string): Promise<Precision[]> {
  const { path, manifest } = await readManifest(model);
  const has = { fp32: await isThere(join(path, manifest.model)), int8: manifest.int8 !== undefined };
  return (['fp32', 'int8'] as const).filter((precision) => has[precision]);
}

async function findSubject(name: string, model: string, pooling: Pooling | undefined): Promise<Subject> {
  const own = PRECISIONS.find((precision) => precision === name);
  if (own !== undefined) return inFolder(name, LABELS[own], model, own);
  const [, path = name, precision] = /^(.+)@(int8|fp32)$/.exec(name) ?? [];
  if (await isThere(join(path, MANIFEST_NAME))) {
    return inFolder(name, `${basename(path)}${precision ? ` ${precision}` : ''}`, path, precision as Precision | undefined);
  }
  if (await isThere(path)) {
    const folder = await looseFolder(path, pooling);
    return { name, label: basename(path), spec: { kind: 'loose', folder }, folder, bytes: bytesOf(folder) };
  }
  throw new EmbedkitError('usage', `--variants ${name}: neither ${PRECISIONS.join(' nor ')}, and there is no such folder or file`, {
    hint: 'name int8, fp32, model folders or ONNX files, with commas between',
  });
}

async function inFolder(name: string, label: string, path: string, precision: Precision | undefined): Promise<Subject> {
  const folder = await openFolder(path, precision);
  return { name, label, spec: { kind: 'folder', path, precision }, folder, bytes: bytesOf(folder) };
}

function bytesOf({ manifest }: ModelFolder): number {
  const files = Object.entries(manifest.files).filter(([name]) => name === manifest.model || name === `${manifest.model}.data`);
  return files.reduce((sum, [, { bytes }]) => sum + bytes, 0);
}
