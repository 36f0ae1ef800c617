// /tokenize, as text-embeddings-inference answers it: the tokens that a text is embedded by.
import type { z } from 'zod';
import { checkTexts, promptOf, type Surroundings } from './answer.js';
import { type Context, checked, type Endpoint, endpoint } from './endpoint.js';
import { modelNamed, type ServedModel } from './models.js';
import { tokenizeAnswer, tokenizeBody } from './schemas.js';

interface TokenizeServices extends Surroundings {
  readonly models: readonly ServedModel[];
}

type Token = z.infer<typeof tokenizeAnswer>[number][number];

export function tokenizeRoute(services: TokenizeServices): Endpoint {
  return endpoint({
    method: 'POST',
    url: '/tokenize',
    summary: 'The tokens that texts are embedded by: cut where the text is longer than the model sees',
    guarded: true,
    errors: 'inputs',
    body: tokenizeBody,
    answer: tokenizeAnswer,
    handle: (body: unknown, context) => tokenized(services, checked(tokenizeBody, body), context),
  });
}

async function tokenized(services: TokenizeServices, body: z.infer<typeof tokenizeBody>, { facts }: Context): Promise<string> {
  const texts = typeof body.inputs === 'string' ? [body.inputs] : body.inputs;
  facts.texts = texts.length;
  const model = modelNamed(services.models, body.model ?? undefined);
  facts.model = model.name;
  checkTexts({ texts, field: 'inputs' }, services);
  const prompt = promptOf(model, body.prompt_name ?? 'none');
  const pieces = piecesOf(model);
  const written: string[] = [];
  const step = (index: number): void => {
    const { ids } = model.tokenizer.encode(prompt + texts[index], model.maxTokens);
    const tokens = ids.map((id): Token => ({ id, text: pieces.text(id), special: pieces.isSpecial(id), start: null, stop: null }));
    facts.tokens += ids.length;
    written.push(JSON.stringify(body.add_special_tokens === false ? tokens.filter(({ special }) => !special) : tokens));
  };
  await services.turns.run(texts.length, step, facts.signal);
  return `[${written.join(',')}]`;
}

interface Pieces {
  text(id: number): string;
  isSpecial(id: number): boolean;
}

const known = new WeakMap<ServedModel, Pieces>();

/** Ids back to what the vocabulary calls them. */
function piecesOf(served: ServedModel): Pieces {
  const held = known.get(served);
  if (held !== undefined) return held;
  const { model, added_tokens: added = [] } = served.folder.tokenizer as TokenizerFile;
  const entries = Array.isArray(model?.vocab) ? model.vocab.map(([text], id) => [text, id] as const) : Object.entries(model?.vocab ?? {});
  const texts = new Map([...entries.map(([text, id]) => [id, text] as const), ...added.map(({ id, content }) => [id, content] as const)]);
  const special = new Set(added.filter((token) => token.special).map(({ id }) => id));
  const pieces: Pieces = { text: (id) => texts.get(id) ?? '', isSpecial: (id) => special.has(id) };
  known.set(served, pieces);
  return pieces;
}

/** Of tokenizer.json: WordPiece and BPE name ids by text, Unigram lists [text, score] in the order of ids. */
interface TokenizerFile {
  readonly model?: { readonly vocab?: Readonly<Record<string, number>> | readonly (readonly [string, number])[] };
  readonly added_tokens?: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
}
