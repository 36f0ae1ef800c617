// What a server is told, and every limit with its default.

/** Bounds on what one client, or all together, can ask of the server. */
export interface ServeLimits {
  readonly maxBodyBytes: number;
  readonly maxTexts: number;
  /** Of one text; tokenizing one is not interrupted. */
  readonly maxCharacters: number;
  /** Tokens that wait for an engine. */
  readonly maxQueueTokens: number;
  /** So long the work of others may hold a request up, or four times as long as its own work takes. */
  readonly maxQueueMs: number;
  readonly maxConnections: number;
  /** Bodies that are held at the same time, in bytes. */
  readonly maxHeldBytes: number;
  /** From the last byte of a request to its answer. */
  readonly timeoutMs: number;
  readonly headerTimeoutMs: number;
  /** Headers and body together. */
  readonly bodyTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export const DEFAULT_LIMITS: ServeLimits = {
  maxBodyBytes: 4 * 2 ** 20,
  maxTexts: 2048,
  maxCharacters: 32_768,
  maxQueueTokens: 262_144,
  maxQueueMs: 1000,
  maxConnections: 1024,
  maxHeldBytes: 64 * 2 ** 20,
  timeoutMs: 30_000,
  headerTimeoutMs: 5_000,
  bodyTimeoutMs: 15_000,
  idleTimeoutMs: 60_000,
};

export interface BatchConfig {
  readonly maxTokens: number;
  readonly maxRows: number;
  readonly maxWaitMs: number;
}

export const DEFAULT_BATCHES: BatchConfig = { maxTokens: 512, maxRows: 64, maxWaitMs: 5 };

export interface ModelChoice {
  /** Folder, or the name of a shipped model. */
  readonly folder: string | undefined;
  /** The name that requests use; default: the manifest's. */
  readonly name?: string | undefined;
}

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 8000;
export const DEFAULT_DRAIN_MS = 30_000;
/** A batch that takes longer than this is given up: its engine hangs. */
export const ENGINE_HANGS_MS = 30_000;
