// The routes that embed, in the three forms that clients speak: embedkit's own, OpenAI's, text-embeddings-inference's.
import { z } from 'zod';
import { type Answer, type Ask, answer, type Surroundings } from './answer.js';
import { type Context, checked, type Endpoint, endpoint } from './endpoint.js';
import { modelNamed, type ServedModel } from './models.js';
import { Refusal } from './refusal.js';
import { embedAnswer, embedBody, inputsAnswer, inputsBody, openaiAnswer, openaiBody } from './schemas.js';
import { vectorBase64, vectorJson } from './vectors-json.js';

export interface EmbedServices extends Surroundings {
  readonly models: readonly ServedModel[];
  readonly onAnswer: (model: ServedModel, answer: Answer) => void;
}

export function embedRoutes(services: EmbedServices): Endpoint[] {
  const inputs = (body: unknown, context: Context): Promise<string> => answerInputs(services, checked(inputsBody, body), context);
  return [
    endpoint({
      method: 'POST',
      url: '/embed',
      summary: 'Vectors of texts. With `inputs` in place of `texts`: as text-embeddings-inference does it.',
      guarded: true,
      body: z.union([embedBody, inputsBody]),
      answer: z.union([embedAnswer, inputsAnswer]),
      handle: (body: unknown, context) => {
        const isInputs = typeof body === 'object' && body !== null && Object.hasOwn(body, 'inputs');
        return isInputs ? inputs(body, context) : answerOwn(services, checked(embedBody, body), context);
      },
    }),
    endpoint({
      method: 'POST',
      url: '/',
      summary: 'Vectors of texts, as text-embeddings-inference clients ask for them',
      guarded: true,
      errors: 'inputs',
      body: inputsBody,
      answer: inputsAnswer,
      handle: inputs,
    }),
    endpoint({
      method: 'POST',
      url: '/v1/embeddings',
      summary: "Vectors of texts, by OpenAI's contract",
      guarded: true,
      body: openaiBody,
      answer: openaiAnswer,
      handle: (body: unknown, context) => answerOpenai(services, checked(openaiBody, body), context),
    }),
  ];
}

async function answerOwn(services: EmbedServices, body: z.infer<typeof embedBody>, context: Context): Promise<string> {
  const { model, result } = await embed(services, body.model, { ...body, field: 'texts' }, context);
  const vectors = await inTurns(services, result, vectorJson, context);
  const rest = {
    latency_ms: Math.round((performance.now() - context.facts.started) * 1000) / 1000,
    model: model.name,
    fingerprint: model.fingerprint,
    tokens: result.tokens,
    truncated: result.truncated,
  };
  return `{"embeddings":[${vectors.join(',')}],${JSON.stringify(rest).slice(1)}`;
}

async function answerOpenai(services: EmbedServices, body: z.infer<typeof openaiBody>, context: Context): Promise<string> {
  const ask = { ...given(body), texts: textsOf(body.input), field: 'input' };
  const { model, result } = await embed(services, body.model, ask, context);
  const write = body.encoding_format === 'base64' ? (vector: Float32Array) => `"${vectorBase64(vector)}"` : vectorJson;
  const one = (vector: Float32Array, index: number): string => `{"object":"embedding","index":${index},"embedding":${write(vector)}}`;
  const data = await inTurns(services, result, one, context);
  const { name, fingerprint } = model;
  const rest = { model: name, fingerprint, usage: { prompt_tokens: result.tokens, total_tokens: result.tokens } };
  return `{"object":"list","data":[${data.join(',')}],${JSON.stringify(rest).slice(1)}`;
}

async function answerInputs(services: EmbedServices, body: z.infer<typeof inputsBody>, context: Context): Promise<string> {
  const texts = typeof body.inputs === 'string' ? [body.inputs] : body.inputs;
  const ask = { ...given({ ...body, prompt: body.prompt_name }), texts, field: 'inputs' };
  const model = modelNamed(services.models, body.model ?? undefined);
  if (body.normalize === false && model.folder.manifest.normalize) {
    throw new Refusal('invalid', `${model.name} gives vectors of length 1 only`, { hint: 'leave normalize out', param: 'normalize' });
  }
  const { result } = await embed(services, model.name, ask, context);
  return `[${(await inTurns(services, result, vectorJson, context)).join(',')}]`;
}

interface Embedded {
  readonly model: ServedModel;
  readonly result: Answer;
}

async function embed(services: EmbedServices, name: string | undefined, ask: Ask, { facts, reply }: Context): Promise<Embedded> {
  facts.texts = ask.texts.length;
  const model = modelNamed(services.models, name);
  facts.model = model.name;
  const result = await answer(model, ask, facts, services);
  facts.tokens = result.tokens;
  facts.truncated = result.truncated.length;
  services.onAnswer(model, result);
  reply.header('x-embedkit-truncated', String(result.truncated.length));
  return { model, result };
}

type Write = (vector: Float32Array, index: number) => string;

/** Writes each vector in the event loop's turns: thousands of numbers take a while. */
async function inTurns({ turns }: EmbedServices, { vectors }: Answer, write: Write, { facts }: Context): Promise<string[]> {
  const written: string[] = [];
  await turns.run(vectors.length, (index) => written.push(write(vectors[index] as Float32Array, index)), facts.signal);
  return written;
}

type Given = Pick<z.infer<typeof openaiBody>, 'dimensions' | 'truncate' | 'prompt'>;

/** Clients send null for what they leave out. */
function given({ dimensions, truncate, prompt }: Given): Omit<Ask, 'texts' | 'field'> {
  return { dimensions: dimensions ?? undefined, truncate: truncate ?? undefined, prompt: prompt ?? undefined };
}

function textsOf(input: z.infer<typeof openaiBody>['input']): Ask['texts'] {
  if (typeof input === 'string') return [input];
  return typeof input[0] === 'number' ? [input as number[]] : (input as string[] | number[][]);
}
