// What a client is told, and the default of every limit. Types and constants.

/** How an endpoint is spoken to: embedkit's own server, OpenAI's contract, or Cohere's (version 2). */
export type Kind = 'embedkit' | 'openai' | 'cohere';

export type Prompt = 'query' | 'document' | 'none';

/** The part of `fetch` that is used: another one may be put in its place. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A name and a length of vectors that the caller vouches for: they are those of the index. */
export interface ModelName {
  readonly model: string;
  readonly dimension: number;
}

export interface EndpointConfig {
  readonly kind: Kind;
  /**
   * Of embedkit's server and of Cohere's API the place before `/embed` and `/v2/embed`; of OpenAI's contract the place before
   * `/embeddings`, as its own clients take it ("https://host/v1").
   */
  readonly url: string;
  /** Sent as a bearer token. In a browser every visitor can read it. */
  readonly apiKey?: string | undefined;
  /** Name to ask for; the server's first model when it is an embedkit server and none is named. */
  readonly model?: string | undefined;
  /** Texts that are put before texts where the endpoint knows no prompts by name: those of the model, by name of the prompt. */
  readonly prompts?: Readonly<Partial<Record<Prompt, string>>> | undefined;
}

export interface ClientConfig {
  /** The server to use while it answers. A string is the place of an embedkit server. */
  readonly server: string | EndpointConfig;
  /** Where to turn to while the server does not answer. */
  readonly fallback?: EndpointConfig | undefined;
  /** Fingerprint of the model that the index was made with; default: that of the first answer of the server. */
  readonly fingerprint?: string | undefined;
  /** Models besides that whose vectors may go into the same index. */
  readonly sameModel?: readonly ModelName[] | undefined;
  readonly limits?: Partial<ClientLimits> | undefined;
  readonly fetch?: Fetch | undefined;
  /** Told when the circuit of the server opens, is probed, and closes again. */
  readonly onCircuit?: ((state: CircuitName) => void) | undefined;
}

export type CircuitName = 'closed' | 'open' | 'half-open';

export interface ClientLimits {
  /** From sending a request to the last byte of its answer. */
  readonly timeoutMs: number;
  /** Tries of a request, the first included. */
  readonly attempts: number;
  /** Mean wait before the second try; each further one waits about twice as long. */
  readonly backoffMs: number;
  /** A server that asks for a longer wait (Retry-After) is not tried again. */
  readonly maxRetryAfterMs: number;
  /** Failures in a row that open the circuit. */
  readonly failuresToOpen: number;
  /** After this a request may probe whether the server is back. */
  readonly probeAfterMs: number;
  readonly textsPerRequest: number;
  /** UTF-16 units of all texts of a request; a longer text goes alone. */
  readonly charactersPerRequest: number;
  /** Requests of one list that are under way at the same time. */
  readonly concurrency: number;
}

export const DEFAULT_LIMITS: ClientLimits = {
  timeoutMs: 10_000,
  attempts: 2,
  backoffMs: 200,
  maxRetryAfterMs: 10_000,
  failuresToOpen: 3,
  probeAfterMs: 10_000,
  textsPerRequest: 64,
  charactersPerRequest: 200_000,
  concurrency: 4,
};

export interface EmbedOptions {
  /** Default: the server's, which is `document`. */
  readonly prompt?: Prompt | undefined;
  readonly dimensions?: number | undefined;
  /** false: a text that is longer than the model sees is refused, not cut. */
  readonly truncate?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Take the vectors of whatever model answers, this once. They must not go into the index of another model. */
  readonly allowOtherModel?: boolean | undefined;
}

/** Why vectors are known to belong to the index: the first of these that holds. */
export type Likeness = 'same-fingerprint' | 'listed' | 'same-server' | 'other-model-allowed';

/** Vectors of one list, all of one model and from one source. */
export interface Embeddings {
  /** A vector a text, in their order. */
  readonly embeddings: readonly Float32Array[];
  readonly model: string;
  /** Undefined for an empty list. */
  readonly dimension: number | undefined;
  /** SHA-256 over all that decides a vector, where the source declares it. */
  readonly fingerprint: string | undefined;
  readonly source: Source;
  /** As the source counts them; undefined where it does not. */
  readonly tokens: number | undefined;
  /** Indices of texts that the model saw only in part; undefined where the source does not tell. */
  readonly truncated: readonly number[] | undefined;
  readonly latencyMs: number;
}

export interface Source {
  readonly role: 'server' | 'fallback';
  readonly kind: Kind;
  readonly url: string;
  readonly likeness: Likeness;
}
