// What every route that embeds does: texts of a request become vectors, under the limits, with what was cut counted.
import { EmbedkitError } from '../errors.js';
import { dimsFor, promptFor } from '../model/settings.js';
import { normalise, truncateDims } from '../vectors/normalise.js';
import type { ServeLimits } from './config.js';
import type { Asker } from './dispatcher.js';
import type { ServedModel } from './models.js';
import { Refusal } from './refusal.js';
import type { Turns } from './turns.js';

/** A request of any route, in one form. */
export interface Ask {
  readonly texts: readonly (string | readonly number[])[];
  /** The field that the texts came in, for error objects. */
  readonly field: string;
  readonly prompt?: string | undefined;
  readonly dimensions?: number | undefined;
  /** False: a text that is too long is refused. */
  readonly truncate?: boolean | undefined;
}

export interface Answer {
  /** In the order of the texts. */
  readonly vectors: readonly Float32Array[];
  readonly tokens: number;
  /** Indices of the texts that were cut. */
  readonly truncated: readonly number[];
  readonly tokenizeMs: number;
}

export interface Surroundings {
  readonly limits: ServeLimits;
  readonly turns: Turns;
  readonly acceptTokenIds: boolean;
}

/** Throws Refusal, or EmbedkitError where the engines fail. */
export async function answer(model: ServedModel, ask: Ask, asker: Asker, around: Surroundings): Promise<Answer> {
  const { manifest } = model.folder;
  checkTexts(ask, around);
  const dims = asField('dimensions', () => dimsFor(manifest, ask.dimensions));
  const prompt = promptOf(model, ask.prompt);
  const lengths = ask.texts.map((text) => (typeof text === 'string' ? prompt.length + text.length : 0));
  refuseEarly(model, lengths, asker.client, around.limits);
  const started = performance.now();
  const { ids, truncated } = await tokenizeInTurns(model, prompt, ask, asker, around.turns);
  const tokenizeMs = performance.now() - started;
  const tokens = sumOf(ids.map(({ length }) => length));
  if (truncated.length === 0 && !lengths.includes(0)) model.estimate.learn(sumOf(lengths), tokens);
  const full = await model.dispatcher.embed(ids, asker);
  const vectors = dims === manifest.dim ? full : full.map((vector) => shorten(vector, dims, manifest.normalize));
  return { vectors, tokens, truncated, tokenizeMs };
}

/** Before the tokenizing, which a flood of large requests would keep the event loop busy with only to be refused. */
function refuseEarly(model: ServedModel, lengths: readonly number[], client: string, { maxQueueTokens }: ServeLimits): void {
  const tokens = model.estimate.atLeast(lengths, model.maxTokens);
  // That a request is too large for any time is not told by a guess.
  if (tokens > 0) model.dispatcher.admit(Math.min(tokens, maxQueueTokens), client);
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** Throws Refusal for too many texts, texts too long to look at, and token ids where they are not taken. */
export function checkTexts({ texts, field }: Ask, { limits, acceptTokenIds }: Surroundings): void {
  if (texts.length > limits.maxTexts) {
    const hint = `send at most ${limits.maxTexts} a request`;
    throw new Refusal('too-many-texts', `${texts.length} texts in one request`, { hint, param: field });
  }
  texts.forEach((text, index) => {
    if (typeof text !== 'string' && !acceptTokenIds) refuseTokenIds(index, field);
    if (typeof text !== 'string' || text.length <= limits.maxCharacters) return;
    const hint = `send at most ${limits.maxCharacters} characters a text, cut at the end of a sentence`;
    throw new Refusal('text-too-long', `text ${index} has ${text.length} characters`, { hint, param: field });
  });
}

function refuseTokenIds(index: number, field: string): never {
  const found = `text ${index} is a list of token ids, and those of another tokenizer would give wrong vectors without a sign`;
  const hint =
    'send the text itself (langchain: check_embedding_ctx_length=False), or start the server with --accept-token-ids if they are of its own tokenizer';
  throw new Refusal('token-ids', found, { hint, param: field });
}

/** Only prompts by name: a literal one over the wire would hide a slip. */
export function promptOf(model: ServedModel, asked: string | undefined): string {
  const { manifest } = model.folder;
  if (asked === undefined || asked === 'none' || Object.hasOwn(manifest.prompts, asked)) return promptFor(manifest, asked);
  const names = ['none', ...Object.keys(manifest.prompts)].join(', ');
  throw new Refusal('invalid', `${model.name} has no prompt of that name`, { hint: `name one of ${names}`, param: 'prompt' });
}

function asField<T>(param: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EmbedkitError) || error.code !== 'usage') throw error;
    throw new Refusal('invalid', error.message.replace('--dims', param), { param });
  }
}

interface Tokenized {
  readonly ids: Int32Array[];
  readonly truncated: number[];
}

async function tokenizeInTurns(model: ServedModel, prompt: string, ask: Ask, asker: Asker, turns: Turns): Promise<Tokenized> {
  const ids: Int32Array[] = [];
  const truncated: number[] = [];
  const step = (index: number): void => {
    const text = ask.texts[index] as string | readonly number[];
    const encoded =
      typeof text === 'string' ? model.tokenizer.encode(prompt + text, model.maxTokens) : cutIds(text, model, index, ask.field);
    if (encoded.lost > 0) truncated.push(index);
    if (encoded.lost > 0 && ask.truncate === false) throw tooLong(index, encoded.ids.length + encoded.lost, model, ask.field);
    ids.push(Int32Array.from(encoded.ids));
  };
  await turns.run(ask.texts.length, step, asker.signal);
  return { ids, truncated };
}

function tooLong(index: number, tokens: number, model: ServedModel, param: string): Refusal {
  const hint = `${model.name} sees ${model.maxTokens}; shorten it, or leave truncate out to have it cut`;
  return new Refusal('text-too-long', `text ${index} has ${tokens} tokens`, { hint, param });
}

/** Ids as they are, special tokens included. */
function cutIds(ids: readonly number[], model: ServedModel, index: number, param: string): { ids: readonly number[]; lost: number } {
  const vocabulary = model.folder.manifest.architecture.vocabulary ?? Number.POSITIVE_INFINITY;
  if (ids.length === 0 || ids.some((id) => id < 0 || id >= vocabulary)) {
    const hint = `send 1 or more ids from 0 to ${vocabulary - 1}`;
    throw new Refusal('token-ids', `text ${index} has no ids, or ids that ${model.name} lacks`, { hint, param });
  }
  return { ids: ids.slice(0, model.maxTokens), lost: Math.max(0, ids.length - model.maxTokens) };
}

function shorten(vector: Float32Array, dims: number, normalize: boolean): Float32Array {
  const cut = truncateDims({ rows: 1, dim: vector.length, data: vector }, dims);
  if (normalize) normalise(cut);
  return cut.data;
}
