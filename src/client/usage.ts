// What a client is told, checked before anything is sent. Pure.
import { EmbedkitError } from '../errors.js';
import { type ClientConfig, DEFAULT_LIMITS, type EmbedOptions, type EndpointConfig, type Kind } from './config.js';

export type CheckedConfig = ClientConfig & { readonly server: EndpointConfig };

/** Throws `usage`. */
export function checkConfig(given: ClientConfig): CheckedConfig {
  requireKnown('', given ?? {}, CONFIG_NAMES);
  if (!given?.server) refuse('no server', 'give its address as server, like http://127.0.0.1:8000');
  const server: EndpointConfig = typeof given.server === 'string' ? { kind: 'embedkit', url: given.server } : given.server;
  for (const [role, endpoint] of Object.entries({ server, fallback: given.fallback })) {
    if (endpoint === undefined) continue;
    if (!KINDS.includes(endpoint.kind)) refuse(`${role}: kind ${JSON.stringify(endpoint.kind)}`, `say one of ${KINDS.join(', ')}`);
    requireHttp(role, endpoint.url);
    if (endpoint.kind !== 'embedkit' && !endpoint.model)
      refuse(
        `${role} ${endpoint.url} has no model`,
        'name the model to ask for: without its name nothing could tell what made the vectors',
      );
  }
  for (const [name, value] of Object.entries(given.limits ?? {})) {
    const least = /^(backoffMs|maxRetryAfterMs)$/.test(name) ? 0 : 1;
    if (!(name in DEFAULT_LIMITS)) refuse(`limits.${name}: there is no such limit`, `there are ${Object.keys(DEFAULT_LIMITS).join(', ')}`);
    if (!Number.isFinite(value) || value < least) refuse(`limits.${name} ${value}`, `give a number of at least ${least}`);
  }
  for (const [at, { model, dimension }] of (given.sameModel ?? []).entries()) {
    if (typeof model !== 'string' || !Number.isInteger(dimension))
      refuse(`sameModel[${at}] is no model and dimension`, 'write it like { model: "bge-small", dimension: 384 }');
  }
  return { ...given, server };
}

const KINDS: readonly Kind[] = ['embedkit', 'openai', 'cohere'];
// Held to the types by `satisfies`: a name that is missing here would refuse what is documented.
const CONFIG_NAMES = Object.keys({
  server: 0,
  fallback: 0,
  fingerprint: 0,
  sameModel: 0,
  limits: 0,
  fetch: 0,
  onCircuit: 0,
} satisfies Record<keyof ClientConfig, 0>);
const OPTION_NAMES = Object.keys({
  prompt: 0,
  dimensions: 0,
  truncate: 0,
  signal: 0,
  allowOtherModel: 0,
} satisfies Record<keyof EmbedOptions, 0>);

/** Throws `usage` for an option that there is not: misspelt, it would silently give other vectors. */
export function checkOptions(options: EmbedOptions): void {
  requireKnown('option ', options, OPTION_NAMES);
}

function requireKnown(what: string, given: object, known: readonly string[]): void {
  const odd = Object.keys(given).find((name) => !known.includes(name));
  if (odd !== undefined) refuse(`${what}${odd}: there is none of that name`, `there are ${known.join(', ')}`);
}

/** Throws `usage` for what is no list of strings: a single string would be taken for a list of its letters. */
export function checkTexts(texts: readonly string[]): void {
  if (!Array.isArray(texts)) refuse('texts is no list', 'give a list of strings, also for one text');
  const at = texts.findIndex((text) => typeof text !== 'string');
  if (at !== -1) refuse(`text ${at} is no string`, 'give a list of strings');
}

function requireHttp(role: string, url: string): void {
  const protocol = typeof url === 'string' && URL.canParse(url) ? new URL(url).protocol : '';
  if (!/^https?:$/.test(protocol)) refuse(`${role}: "${url}" is no address`, 'write it like http://127.0.0.1:8000');
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') refuse(`${role}: its url holds a password`, 'give the key as apiKey');
}

function refuse(found: string, hint: string): never {
  throw new EmbedkitError('usage', found, { hint });
}
