// `embedkit/client`: vectors over HTTP from a server that may fail. Runs in Node and in browsers. Re-exports only.
export { EmbedkitError, type ErrorCode } from '../errors.js';
export { type Client, createClient } from './client.js';
export {
  type CircuitName,
  type ClientConfig,
  type ClientLimits,
  DEFAULT_LIMITS,
  type Embeddings,
  type EmbedOptions,
  type EndpointConfig,
  type Fetch,
  type Kind,
  type Likeness,
  type ModelName,
  type Prompt,
  type Source,
} from './config.js';
