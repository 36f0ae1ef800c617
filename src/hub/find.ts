// A model of the hub's cache by its name, for whoever needs its files; nothing here touches the network.
import { EmbedkitError } from '../errors.js';
import { demandSnapshot, type Snapshot, selectIn } from './cached.js';
import { type HubName, shortName, written } from './name.js';
import { type Selection, WEIGHTS, type WeightsForm } from './select.js';

export interface CachedModel {
  readonly snapshot: Snapshot;
  readonly selection: Selection;
}

/** Throws `usage` for what is not there or not whole, `model-unsupported` for what embedkit cannot use. */
export async function cachedModel(name: HubName, weights?: WeightsForm): Promise<CachedModel> {
  const snapshot = await demandSnapshot(name);
  const [missing] = snapshot.broken;
  if (missing !== undefined) {
    throw new EmbedkitError('usage', `${written(name)}: ${missing} is not in the cache any more`, {
      hint: `fetch it with embedkit pull ${written(name)}`,
    });
  }
  return { snapshot, selection: await selectIn(snapshot, weights === undefined ? WEIGHTS : [weights]) };
}

/** The model folder that a name of the hub means. Throws as `cachedModel` does, and `usage` where one must be made first. */
export async function cachedModelFolder(name: HubName): Promise<string> {
  const { snapshot, selection } = await cachedModel(name);
  if (selection.form === 'embedkit') return snapshot.folder;
  throw new EmbedkitError('usage', `${written(name)} is in the cache as ${FORMS[selection.form]}, and embedkit runs model folders`, {
    hint: `make one with ${exportCommand(name)}, then name that folder`,
  });
}

const FORMS = { safetensors: 'safetensors', onnx: 'an ONNX file' } as const;

/** What makes a model folder of a name of the hub. */
export function exportCommand(name: HubName): string {
  return `embedkit export ${written(name)} -o ${shortName(name)}`;
}
