// One endpoint: lists of texts become vectors, in requests of bearable size under its policy; and what it declares of its model.
import { bulkhead } from 'cockatiel';
import { cutList } from './batches.js';
import type { CircuitName, ClientLimits, EmbedOptions, EndpointConfig, Fetch, Kind } from './config.js';
import { cohere } from './dialects/cohere.js';
import type { Answer, Declared, Dialect } from './dialects/dialect.js';
import { declaredIn, embedkit } from './dialects/embedkit.js';
import { openai } from './dialects/openai.js';
import { exchange } from './exchange.js';
import { Failure } from './failure.js';
import { joined, soundAnswer } from './join.js';
import { createPolicy } from './policy.js';

const DIALECTS: Readonly<Record<Kind, Dialect>> = { embedkit, openai, cohere };

export interface Endpoint {
  readonly config: EndpointConfig;
  readonly circuit: CircuitName;
  /** Throws Failure, or the reason of `signal`. */
  embed(texts: readonly string[], options: EmbedOptions, signal: AbortSignal): Promise<Answer>;
  /**
   * What it declares of a model now; undefined where it declares none of that name. Asked each time: a server that was started anew may
   * hold another model under the same name, and kept connections hide that. Throws like `embed`.
   */
  declared(model: string | undefined, signal: AbortSignal): Promise<Declared | undefined>;
  /** Whether a prompt that was asked for by name can be put before the texts. */
  canPrompt(options: EmbedOptions): boolean;
}

export interface EndpointParts {
  readonly limits: ClientLimits;
  readonly fetch: Fetch;
  readonly onCircuit?: ((state: CircuitName) => void) | undefined;
}

export function createEndpoint(given: EndpointConfig, { limits, fetch, onCircuit }: EndpointParts): Endpoint {
  const config = { ...given, url: given.url.replace(/\/+$/, '') };
  const dialect = DIALECTS[config.kind];
  const policy = createPolicy(limits, onCircuit);
  let declaresNothing = dialect.infoUrl(config.url) === undefined;
  const run = (request: { url: string; body?: unknown }, signal: AbortSignal): Promise<unknown> =>
    policy.run((until) => exchange({ ...request, apiKey: config.apiKey }, fetch, until), signal);
  const one = async (texts: readonly string[], options: EmbedOptions, signal: AbortSignal): Promise<Answer> => {
    const sent = prompted(texts, dialect, config, options);
    const json = await run({ url: `${config.url}${dialect.path}`, body: dialect.body(sent, config, options) }, signal);
    return soundAnswer(dialect.answer(json), texts.length);
  };
  return {
    config,
    embed: async (texts, options, signal) => {
      // The others refuse an empty list, and it needs no answer.
      if (texts.length === 0 && config.kind !== 'embedkit')
        return { vectors: [], model: config.model, fingerprint: undefined, tokens: 0, truncated: [] };
      const lists = cutList(texts, Math.min(limits.textsPerRequest, dialect.maxTexts), limits.charactersPerRequest);
      return joined(await allAtOnce(lists, limits.concurrency, signal, (list, until) => one(list, options, until)));
    },
    declared: async (model, signal) => {
      if (declaresNothing) return undefined;
      const models = await declaredModels(() => run({ url: dialect.infoUrl(config.url) as string }, signal));
      declaresNothing = models === undefined;
      return model === undefined ? models?.[0] : models?.find((known) => known.model === model || known.aliases.includes(model));
    },
    canPrompt: ({ prompt = 'none' }) => dialect.knowsPrompts || prompt === 'none' || config.prompts?.[prompt] !== undefined,
    get circuit() {
      return policy.circuit;
    },
  };
}

/** Texts with the prompt's text before them where the endpoint knows no prompts. */
function prompted(
  texts: readonly string[],
  { knowsPrompts }: Dialect,
  { prompts }: EndpointConfig,
  { prompt = 'document' }: EmbedOptions,
): readonly string[] {
  const before = knowsPrompts || prompt === 'none' ? '' : (prompts?.[prompt] ?? '');
  return before === '' ? texts : texts.map((text) => before + text);
}

/** Undefined where there is no such page, as at most endpoints. */
async function declaredModels(get: () => Promise<unknown>): Promise<Declared[] | undefined> {
  try {
    return declaredIn(await get());
  } catch (error) {
    if (error instanceof Failure && error.fault === 'refused') return undefined;
    throw error;
  }
}

/** Runs `work` on every list, some at a time; the first failure ends the others. */
async function allAtOnce<T>(
  lists: readonly string[][],
  concurrency: number,
  signal: AbortSignal,
  work: (list: string[], signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  const stop = new AbortController();
  const follow = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', follow);
  const lanes = bulkhead(concurrency, Number.POSITIVE_INFINITY);
  try {
    return await Promise.all(lists.map((list) => lanes.execute(() => work(list, stop.signal))));
  } finally {
    signal.removeEventListener('abort', follow);
    stop.abort();
  }
}
