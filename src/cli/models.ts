// `embedkit models`: what is shipped and what the hub's cache holds; listed, described, verified, removed.
import { EmbedkitError } from '../errors.js';
import { mebibytes, printable } from '../format.js';
import { exportCommand } from '../hub/find.js';
import { findModel, inventory, type ModelEntry } from '../hub/inventory.js';
import { removeModel } from '../hub/remove.js';
import { type Checked, verifyModels } from '../hub/verify.js';
import { readManifest } from '../model/folder.js';
import { aligned } from './aligned.js';

export interface ModelsArguments {
  readonly json?: boolean;
}

const STATES: Readonly<Record<ModelEntry['state'], string>> = {
  ready: 'ready',
  export: 'export first',
  unusable: 'not usable',
  unfinished: 'unfinished',
};
const SHORT_COMMIT = 12;

export async function listModels({ json }: ModelsArguments): Promise<void> {
  const entries = await inventory();
  if (json) return print(JSON.stringify({ models: entries.map(({ files, ...entry }) => ({ ...entry, files: files.length })) }));
  const rows = entries.map((entry) => [entry.name, revisionOf(entry), mebibytes(entry.bytes), STATES[entry.state]]);
  print(aligned([['name', 'revision', 'size', 'for embed'], ...rows.map((row) => row.map(printable))], 2).join('\n'));
}

function revisionOf({ origin, commit, refs }: ModelEntry): string {
  if (origin === 'shipped') return 'shipped';
  return commit === null ? '' : [...refs, commit.slice(0, SHORT_COMMIT)].join(' ');
}

export async function describeModel(name: string, { json }: ModelsArguments): Promise<void> {
  const entry = await findModel(name);
  const facts = entry.state === 'ready' ? await factsOf(entry) : {};
  if (json) return print(JSON.stringify({ ...entry, ...facts }));
  const said = Object.entries({
    name: entry.name,
    commit: entry.commit ?? 'shipped',
    ...(entry.refs.length > 0 && { refs: entry.refs.join(', ') }),
    folder: entry.folder ?? '',
    size: mebibytes(entry.bytes),
    'for embed':
      entry.state === 'export' ? `first ${exportCommand({ id: entry.name, revision: entry.commit ?? undefined })}` : STATES[entry.state],
    ...facts,
  }).map(([key, value]) => [key, printable(String(value))]);
  const files = entry.files.map(({ path, bytes }) => [printable(path), mebibytes(bytes)]);
  print([...aligned(said, 2), '', ...aligned(files, 1)].join('\n'));
}

async function factsOf({ folder }: ModelEntry): Promise<Record<string, string | number>> {
  const { manifest } = await readManifest(folder as string);
  return {
    dimensions: manifest.dim,
    tokens: manifest.max_tokens,
    pooling: manifest.pooling,
    precision: manifest.int8 === undefined ? 'fp32' : 'int8',
    source: manifest.source,
    license: manifest.license,
  };
}

/** Throws `not-as-claimed` where a file is not what its hash says. */
export async function checkModels(names: readonly string[], { json }: ModelsArguments): Promise<void> {
  const checked = await verifyModels(names);
  print(json ? JSON.stringify({ models: checked }) : checkedText(checked));
  const wrong = checked.filter(({ problems }) => problems.length > 0);
  if (wrong.length === 0) return;
  throw new EmbedkitError('not-as-claimed', `files of ${wrong.map(({ name }) => name).join(', ')} are not what they should be`, {
    hint: 'embedkit pull fetches them again, and leaves the others alone',
  });
}

function checkedText(checked: readonly Checked[]): string {
  const rows = checked.map(({ name, files, bytes, problems }) => [
    printable(name),
    String(files),
    mebibytes(bytes),
    problems.length === 0 ? 'right' : `${problems.length} wrong`,
  ]);
  const problems = checked.flatMap((one) => one.problems).map(({ path, problem }) => printable(`${path}: ${problem}`));
  return [...aligned([['name', 'files', 'size', 'hashes'], ...rows], 1), ...problems].join('\n');
}

export async function removeModels(names: readonly string[], { json }: ModelsArguments): Promise<void> {
  for (const text of names) {
    const removed = await removeModel(text);
    const { name, commit, folder, freedBytes } = removed;
    const what = commit === undefined ? name : `${name}@${commit.slice(0, SHORT_COMMIT)}`;
    print(json ? JSON.stringify(removed) : `removed ${what} (${printable(folder)}): ${mebibytes(freedBytes)} freed`);
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
