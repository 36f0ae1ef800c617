// The tokenizer of a model that is exported: read, tried, and held against what else is known of the model.
import { readFile } from 'node:fs/promises';
import { EmbedkitError, wrapError } from '../errors.js';
import { createTokenizer, type TextTokenizer, type TokenizerJson } from '../tokens/tokenizer.js';
import type { SourceFacts } from './conventions.js';

/** Throws `model-invalid` for a file that is no tokenizer or does not go with the model, `model-unsupported`. */
export async function readTokenizer(source: SourceFacts): Promise<TextTokenizer> {
  const { json, tokenizer } = await load(source.tokenizerPath);
  if (source.isSafetensors) checkIds(json, source);
  checkCase(tokenizer, source);
  return tokenizer;
}

async function load(path: string): Promise<{ json: TokenizerJson; tokenizer: TextTokenizer }> {
  try {
    const json = JSON.parse(await readFile(path, 'utf8')) as TokenizerJson;
    return { json, tokenizer: createTokenizer(json) };
  } catch (error) {
    throw wrapError(error, 'model-invalid', `${path}: not a tokenizer that embedkit can use`, 'fetch it again');
  }
}

/** An id beyond the word table would fail in the middle of a run. */
function checkIds(json: TokenizerJson, { tokenizerPath, vocabulary = Number.POSITIVE_INFINITY }: SourceFacts): void {
  const ids = idsIn(json);
  const highest = ids.reduce((most, id) => Math.max(most, id), 0);
  const odd = ids.find((id) => !Number.isSafeInteger(id) || id < 0);
  if (odd === undefined && highest < vocabulary) return;
  const found = odd === undefined ? `has token ids up to ${highest}, and the model ${vocabulary} words` : `has token ids such as ${odd}`;
  throw new EmbedkitError('model-invalid', `${tokenizerPath}: ${found}`, { hint: 'fetch the tokenizer that belongs to the model' });
}

/** Vocabularies are objects from token to id, or lists of tokens in the order of their ids. */
function idsIn({ model, added_tokens }: TokenizerJson): number[] {
  const vocab = model?.vocab ?? {};
  const ids = Array.isArray(vocab) ? [vocab.length - 1] : Object.values(vocab as Record<string, number>);
  return [...ids, ...(added_tokens ?? []).map(({ id }) => id)];
}

const CASED = 'Ferries Leave PIER Seven';

/** sentence-transformers can lower-case texts before the tokenizer; embedkit leaves that to the tokenizer. */
function checkCase(tokenizer: TextTokenizer, { lowercase, tokenizerPath }: SourceFacts): void {
  const idsOf = (text: string): string => tokenizer.encode(text, 512).ids.join();
  if (!lowercase || idsOf(CASED) === idsOf(CASED.toLowerCase())) return;
  const found = `${tokenizerPath}: keeps capitals, and sentence_bert_config.json asks for none (do_lower_case)`;
  throw new EmbedkitError('model-unsupported', found, { hint: 'put a Lowercase normalizer into tokenizer.json' });
}
