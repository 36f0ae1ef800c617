// The client: the server first, the fallback where it is allowed, and a word with every result on what made it.
import { EmbedkitError } from '../errors.js';
import { type CircuitName, type ClientConfig, DEFAULT_LIMITS, type Embeddings, type EmbedOptions } from './config.js';
import { createEndpoint, type Endpoint } from './endpoint.js';
import { Failure, isServerFault, toError } from './failure.js';
import { fromFallback } from './fallback.js';
import { identityOf, type Made, madeBy, resultOf, strange } from './made.js';
import { type IndexModel, serverLikenessOf } from './same-model.js';
import { checkConfig, checkOptions, checkTexts } from './usage.js';

export interface Client {
  /**
   * Vectors of texts, all of one model and from one source. Where requests of a long list fail, the fallback makes all of it.
   * @throws EmbedkitError: `usage`, `server-unreachable`, `server-failed`, `server-refused` (the request or the key is at fault: no
   *   fallback is asked), `model-differs`; or the reason of `options.signal`
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Embeddings>;
  /** Of the server: `closed` while it is asked, `open` while it is not, `half-open` while it is asked whether it is back. */
  readonly circuit: CircuitName;
}

/** Opens no connection. Throws `usage`. */
export function createClient(given: ClientConfig): Client {
  const config = checkConfig(given);
  const limits = { ...DEFAULT_LIMITS, ...config.limits };
  const parts = { limits, fetch: config.fetch ?? ((url: string, init: RequestInit) => fetch(url, init)) };
  const server = createEndpoint(config.server, { ...parts, onCircuit: config.onCircuit });
  const fallback = config.fallback && createEndpoint(config.fallback, parts);
  let index: IndexModel = { fingerprint: config.fingerprint, model: undefined, listed: config.sameModel ?? [] };

  const fromServer = async (texts: readonly string[], options: EmbedOptions, signal: AbortSignal): Promise<Made> => {
    requirePrompt(server, options);
    const answer = await server.embed(texts, options, signal);
    const made = madeBy(answer, answer.fingerprint ?? (await server.declared(answer.model, signal))?.fingerprint);
    const { allowOtherModel } = options;
    if (allowOtherModel !== true && index.fingerprint === undefined && index.model === undefined) index = { ...index, ...identityOf(made) };
    const likeness = serverLikenessOf(index, made) ?? (allowOtherModel ? 'other-model-allowed' : undefined);
    if (likeness === undefined) throw strange(server.config.url, made, index);
    return { answer, made, likeness };
  };

  return {
    embed: async (texts, options = {}) => {
      checkTexts(texts);
      checkOptions(options);
      const started = performance.now();
      const signal = options.signal ?? new AbortController().signal;
      signal.throwIfAborted();
      try {
        return resultOf('server', server, await fromServer(texts, options, signal), started);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const failed = error instanceof Failure ? toError(error, server.config.url) : error;
        const isElsewhere = isServerFault(error) || (error instanceof EmbedkitError && error.code === 'model-differs');
        if (fallback === undefined || !isElsewhere || !(failed instanceof EmbedkitError)) throw failed;
        return resultOf('fallback', fallback, await fromFallback({ fallback, index, failed }, texts, options, signal), started);
      }
    },
    get circuit() {
      return server.circuit;
    },
  };
}

/** A prompt that cannot be put before the texts would silently give other vectors. */
function requirePrompt({ canPrompt, config }: Endpoint, options: EmbedOptions): void {
  if (canPrompt(options)) return;
  throw new EmbedkitError('usage', `${config.url} knows no prompt "${options.prompt}"`, {
    hint: 'give its text in prompts of the endpoint',
  });
}
