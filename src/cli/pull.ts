// `embedkit pull`: fetches a model of the hub into its cache and, with -o, makes a model folder of it.
import { dirname, join } from 'node:path';
import { EmbedkitError } from '../errors.js';
import { mebibytes } from '../format.js';
import { exportCommand } from '../hub/find.js';
import { hubName, shortName } from '../hub/name.js';
import { type Pulled, pull } from '../hub/pull.js';
import { isThere } from '../there.js';
import { exportCommand as runExport, type SayExported } from './export.js';
import type { PullArguments } from './pull-flags.js';
import { type PullView, pullView } from './pull-progress.js';
import { abortOnSignals } from './signals.js';

/** Runs `pull`; throws EmbedkitError. The folder is the result: it goes to stdout. */
export async function pullCommand(text: string, given: PullArguments): Promise<void> {
  if (given.output !== undefined && given.overwrite !== true && (await isThere(given.output))) {
    throw new EmbedkitError('usage', `${given.output} exists`, { hint: 'name another folder, or say --overwrite' });
  }
  const view = pullView({ quiet: given.quiet ?? false, format: given.logFormat ?? 'text', stream: process.stderr });
  const signals = abortOnSignals('what has arrived is kept: the same command goes on');
  try {
    const pulled = await pull(text, {
      weights: given.form,
      signal: signals.signal,
      onProgress: view.progress,
      onNotice: (message) => view.say('notice', message, { message }),
    });
    view.close();
    sayPulled(text, pulled, given, view);
    if (given.output !== undefined) await exportPulled(pulled, given, view);
    process.stdout.write(`${given.output ?? pulled.folder}\n`);
  } finally {
    view.close();
    signals.release();
  }
}

function sayPulled(
  text: string,
  { id, commit, bytes, fetchedBytes, folder, selection }: Pulled,
  given: PullArguments,
  view: PullView,
): void {
  const fetched =
    fetchedBytes === null ? 'from the cache, as HF_HUB_OFFLINE is set' : `${mebibytes(fetchedBytes)} fetched, all hashes right`;
  view.say('pulled', `${id} at ${commit}: ${mebibytes(bytes)}, ${fetched}`, {
    id,
    commit,
    bytes,
    fetchedBytes,
    folder,
    form: selection.form,
  });
  const isReady = selection.form === 'embedkit';
  if (given.output === undefined)
    view.say('next', isReady ? `use it with --model ${text}` : `next: ${exportCommand(hubName(text))}`, {
      state: isReady ? 'ready' : 'export',
    });
}

async function exportPulled({ id, commit, folder, selection }: Pulled, given: PullArguments, view: PullView): Promise<void> {
  if (selection.form === 'embedkit') {
    throw new EmbedkitError('usage', `${id} is a model folder as it is: there is nothing to export`, {
      hint: `leave -o out, and say --model ${id}`,
    });
  }
  // The weights themselves where the files around them are found from there; else the folder, whose list of modules says where.
  const isPlain = dirname(selection.main) === '.' || dirname(selection.main) === 'onnx';
  const name = shortName({ id, revision: undefined });
  const say: SayExported = (lines, fields) => {
    for (const line of lines.split('\n').slice(0, given.logFormat === 'json' ? 1 : undefined)) view.say('exported', line, fields);
  };
  await runExport(isPlain ? join(folder, selection.main) : folder, { name, source: `${id}@${commit}`, ...given }, say);
}
