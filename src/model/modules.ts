// modules.json of sentence-transformers: where the transformer is, how its token vectors are pooled, and what comes after.
import { basename, join } from 'node:path';
import { z } from 'zod';
import { EmbedkitError } from '../errors.js';
import type { Pooling } from '../vectors/pool.js';
import { readJson } from './json-file.js';

/** What the modules of a folder say. */
export interface Modules {
  /** Folder of the transformer below that of the model; empty: the same. */
  readonly transformer: string;
  readonly pooling: Pooling | undefined;
  /** Folders of the linear maps after pooling, in their order. */
  readonly dense: readonly string[];
  /** Undefined where there is no list of modules. */
  readonly normalize: boolean | undefined;
}

const modulesSchema = z.array(z.object({ type: z.string(), path: z.string().default('') }));
type Module = z.infer<typeof modulesSchema>[number];

const POOLING_FOLDER = '1_Pooling';

/** Kinds of modules, in the order in which embedkit computes them, whatever are left out. */
const KINDS = ['Transformer', 'Pooling', 'Dense', 'Normalize'] as const;
type Kind = (typeof KINDS)[number];
// It does nothing but in training.
const DROPOUT = 'Dropout';

/** Undefined where the folder says nothing. Throws `model-unsupported` for a module that embedkit does not compute. */
export async function readModules(root: string): Promise<Modules | undefined> {
  const path = join(root, 'modules.json');
  const listed = await readJson(path, modulesSchema);
  if (listed === undefined) {
    const pooling = await readPooling(join(root, POOLING_FOLDER));
    return pooling === undefined ? undefined : { transformer: '', pooling, dense: [], normalize: undefined };
  }
  const modules = listed.filter((module) => kindOf(module) !== DROPOUT);
  for (const module of modules) checkModule(module, path);
  checkOrder(modules, path);
  const pathOf = (kind: Kind): string | undefined => modules.find((module) => kindOf(module) === kind)?.path;
  return {
    transformer: pathOf('Transformer') ?? '',
    pooling: await readPooling(join(root, pathOf('Pooling') ?? POOLING_FOLDER)),
    dense: modules.filter((module) => kindOf(module) === 'Dense').map((module) => join(root, module.path)),
    normalize: pathOf('Normalize') !== undefined,
  };
}

function kindOf({ type }: Pick<Module, 'type'>): string {
  return type.split('.').at(-1) as string;
}

function checkModule(module: Module, path: string): void {
  if (!(KINDS as readonly string[]).includes(kindOf(module))) {
    throw new EmbedkitError('model-unsupported', `${path}: module ${JSON.stringify(module.type)}; embedkit computes ${KINDS.join(', ')}`, {
      hint: 'export the model to ONNX with all its modules elsewhere',
    });
  }
  if (module.path !== basename(module.path) || module.path === '..') {
    throw new EmbedkitError('model-invalid', `${path}: the path ${JSON.stringify(module.path)} leaves the folder`, {
      hint: 'fetch the model again',
    });
  }
}

function checkOrder(modules: readonly Module[], path: string): void {
  const kinds = modules.map(kindOf);
  const isOrdered = kinds.every((kind, at) => {
    const [before, here] = [KINDS.indexOf(kinds[at - 1] as Kind), KINDS.indexOf(kind as Kind)];
    return before < here || (before === here && kind === 'Dense');
  });
  if (isOrdered) return;
  throw new EmbedkitError('model-unsupported', `${path}: modules in the order ${kinds.join(', ')}; embedkit computes ${KINDS.join(', ')}`, {
    hint: 'export the model to ONNX with all its modules elsewhere',
  });
}

/** Names of sentence-transformers -> ours, in both forms of its configuration. */
const MODES: Readonly<Record<string, { readonly flag: string; readonly pooling: Pooling }>> = {
  cls: { flag: 'pooling_mode_cls_token', pooling: 'cls' },
  max: { flag: 'pooling_mode_max_tokens', pooling: 'max' },
  mean: { flag: 'pooling_mode_mean_tokens', pooling: 'mean' },
  mean_sqrt_len_tokens: { flag: 'pooling_mode_mean_sqrt_len_tokens', pooling: 'mean-sqrt' },
  weightedmean: { flag: 'pooling_mode_weightedmean_tokens', pooling: 'weighted-mean' },
  lasttoken: { flag: 'pooling_mode_lasttoken', pooling: 'last' },
};

const poolingSchema = z.looseObject({
  pooling_mode: z.union([z.string(), z.array(z.string())]).optional(),
  include_prompt: z.boolean().optional(),
});

async function readPooling(folder: string): Promise<Pooling | undefined> {
  const path = join(folder, 'config.json');
  const config = await readJson(path, poolingSchema);
  if (config === undefined) return undefined;
  const flagged = Object.keys(MODES).filter((mode) => config[(MODES[mode] as { flag: string }).flag] === true);
  const modes = config.pooling_mode === undefined ? flagged : [config.pooling_mode].flat();
  if (config.include_prompt === false) throw refused(path, 'leaves the prompt out of the pooling (include_prompt)');
  const [mode] = modes;
  if (mode === undefined) return undefined;
  if (modes.length > 1) throw refused(path, `joins ${modes.join(' and ')}`);
  if (!Object.hasOwn(MODES, mode)) throw refused(path, `pools by ${JSON.stringify(mode)}`);
  return MODES[mode]?.pooling;
}

function refused(path: string, what: string): EmbedkitError {
  return new EmbedkitError('model-unsupported', `${path}: ${what}, which embedkit does not compute`, {
    hint: `it pools by one of ${Object.keys(MODES).join(', ')}`,
  });
}
