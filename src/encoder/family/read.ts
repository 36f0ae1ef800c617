// config.json and weights become an Encoder: which family reads them, and that no weight is left over.
import { EmbedkitError } from '../../errors.js';
import { checkEncoder } from '../check.js';
import type { Encoder } from '../encoder.js';
import { readBert, readRoberta } from './bert.js';
import { type ModelConfig, unsupported } from './config.js';
import { readDistilBert } from './distilbert.js';
import { readGte } from './gte.js';
import { readModernBert } from './modernbert.js';
import { readMpnet } from './mpnet.js';
import { readNomic } from './nomic.js';
import { type WeightSource, Weights } from './weights.js';

interface Family {
  /** What the name of the word table ends in: what stands before it is the prefix of all names. */
  readonly words: string;
  read(config: ModelConfig, weights: Weights): Promise<Encoder>;
}

const WORDS = 'embeddings.word_embeddings.weight';
/** Heads for other tasks, and numbers that are counted up anyway: the hidden states do not depend on them. */
const HEADS = /^(pooler|cls|lm_head|classifier|head|decoder|predictions|vocab_\w+|qa_outputs|pre_classifier|dropout)\.|position_ids$/;

const bert: Family = { words: WORDS, read: (config, weights) => readBert(config, weights) };
const roberta: Family = { words: WORDS, read: readRoberta };
const gte: Family = { words: WORDS, read: readGte };

/** model_type of config.json -> what reads it. */
const FAMILIES: Readonly<Record<string, Family>> = {
  bert,
  roberta,
  'xlm-roberta': roberta,
  camembert: roberta,
  distilbert: { words: WORDS, read: readDistilBert },
  mpnet: { words: WORDS, read: readMpnet },
  modernbert: { words: 'embeddings.tok_embeddings.weight', read: readModernBert },
  nomic_bert: { words: WORDS, read: readNomic },
  gte,
  new: gte,
};

/** Whether a model_type of config.json is read here. */
export function readsFamily(type: string): boolean {
  return Object.hasOwn(FAMILIES, type);
}

/**
 * Reads an encoder.
 * @param config the parsed config.json
 * @throws EmbedkitError `model-unsupported` for a family or a setting that embedkit does not compute and for weights that no
 *   part of the family accounts for, `model-invalid` for fields and shapes that contradict each other
 */
export async function readEncoder(config: ModelConfig, source: WeightSource): Promise<Encoder> {
  const type = String(config['model_type']);
  const family = readsFamily(type) ? FAMILIES[type] : undefined;
  if (family === undefined)
    throw unsupported(`a model of type ${JSON.stringify(type.slice(0, 100))}`, `embedkit knows ${Object.keys(FAMILIES).join(', ')}`);
  const weights = new Weights(source, prefixOf(source, family));
  const encoder = await family.read(config, weights);
  const [left] = weights.unread().filter((name) => !HEADS.test(name));
  if (left !== undefined) {
    const found = `the weights hold ${JSON.stringify(left.slice(0, 200))}, which is no part of a ${type} encoder`;
    throw new EmbedkitError('model-unsupported', found, { hint: 'merge adapters first, or export the model to ONNX elsewhere' });
  }
  checkEncoder(encoder);
  return encoder;
}

/** A model saved with a head for a task keeps its encoder below a name. */
function prefixOf({ places }: WeightSource, { words }: Family): string {
  const found = [...places.keys()].filter((name) => name === words || name.endsWith(`.${words}`));
  const [name] = found;
  if (name === undefined || found.length > 1) {
    const what = name === undefined ? `no word table (${words})` : `${found.length} word tables`;
    throw new EmbedkitError('model-invalid', `the weights hold ${what}`, {
      hint: 'fetch the model again, or name the folder of its encoder',
    });
  }
  return name.slice(0, name.length - words.length);
}
