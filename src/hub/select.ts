// Which files of a model embedkit needs: one form of the weights, and the settings around it. Pure.
import { EmbedkitError } from '../errors.js';
import { CONFIG_NAME, MANIFEST_NAME, TOKENIZER_NAME } from '../model/names.js';
import { INDEX_NAME, SINGLE_NAME } from '../safetensors/shards.js';

export const WEIGHTS = ['safetensors', 'onnx'] as const;
export type WeightsForm = (typeof WEIGHTS)[number];

export interface Selection {
  /** `embedkit`: a model folder that can be used as it is. */
  readonly form: WeightsForm | 'embedkit';
  /** The file that names all others: the manifest, the weights or their index. */
  readonly main: string;
  readonly paths: readonly string[];
}

export const MODULES_NAME = 'modules.json';

const SETTINGS = [
  CONFIG_NAME,
  MODULES_NAME,
  'config_sentence_transformers.json',
  'sentence_bert_config.json',
  TOKENIZER_NAME,
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
];

/** What of a folder of ours can belong to the model; its manifest says what does. */
const OURS = /^[^/]+\.(json|onnx|data|safetensors)$/;
/** Where the pooling is described when no list of modules says so. */
const POOLING_FOLDER = '1_Pooling';
const SHARD = /^model-\d+-of-(\d+)\.safetensors$/;
const ONNX_NAME = 'model.onnx';

export interface Wish {
  /** Folders of the modules in modules.json, that of the transformer first; empty: there is no such list. */
  readonly modules: readonly string[];
  /** In order of preference. */
  readonly forms: readonly WeightsForm[];
}

/**
 * @param paths all files of the model
 * @throws EmbedkitError `model-unsupported` where there is nothing that embedkit could use
 */
export function selectFiles(id: string, paths: readonly string[], { modules, forms }: Wish): Selection {
  if (paths.includes(MANIFEST_NAME)) return { form: 'embedkit', main: MANIFEST_NAME, paths: paths.filter((path) => OURS.test(path)) };
  const transformer = modules[0] ?? '';
  const found = forms.map((form) => FINDERS[form](paths, transformer)).find((some) => some !== undefined);
  if (found === undefined)
    throw none(id, `weights in ${forms.join(' or ')}`, 'choose a model that has them, or convert it with other tools');
  const folders = new Set(['', transformer, POOLING_FOLDER, ...modules, folderOf(found.main)]);
  const settings = [...folders].flatMap((folder) => SETTINGS.map((name) => inside(folder, name)));
  const dense = modules.slice(1).map((folder) => inside(folder, SINGLE_NAME));
  const wanted = new Set([...settings, ...dense, ...found.paths]);
  if (![...wanted].some((path) => baseOf(path) === TOKENIZER_NAME && paths.includes(path))) {
    throw none(id, TOKENIZER_NAME, 'choose a model with one, or make it with transformers (AutoTokenizer, then save_pretrained)');
  }
  return { ...found, paths: paths.filter((path) => wanted.has(path)) };
}

type Found = Omit<Selection, 'paths'> & { readonly paths: readonly string[] };

const FINDERS: Readonly<Record<WeightsForm, (paths: readonly string[], transformer: string) => Found | undefined>> = {
  safetensors: (paths, transformer) => {
    const single = inside(transformer, SINGLE_NAME);
    if (paths.includes(single)) return { form: 'safetensors', main: single, paths: [single] };
    const index = inside(transformer, INDEX_NAME);
    const shards = paths.filter((path) => folderOf(path) === transformer && SHARD.test(baseOf(path)));
    const isWhole = shards.length > 0 && shards.every((path) => Number(SHARD.exec(baseOf(path))?.[1]) === shards.length);
    return paths.includes(index) && isWhole ? { form: 'safetensors', main: index, paths: [index, ...shards] } : undefined;
  },
  onnx: (paths, transformer) => {
    const places = ['', 'onnx', transformer, inside(transformer, 'onnx')].map((folder) => inside(folder, ONNX_NAME));
    const main = places.find((place) => paths.includes(place));
    if (main === undefined) return undefined;
    // Weights beyond 2 GB lie in files whose names begin with that of the graph.
    const data = paths.filter((path) => path.startsWith(main) && /^[._]data(_\d+)?$/.test(path.slice(main.length)));
    return { form: 'onnx', main, paths: [main, ...data] };
  },
};

function none(id: string, what: string, hint: string): EmbedkitError {
  return new EmbedkitError('model-unsupported', `${id} has no ${what}`, { hint });
}

function inside(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
