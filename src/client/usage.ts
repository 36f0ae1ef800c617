// What a client is told, checked before anything is sent. Pure.
import { EmbedkitError } from '../errors.js';
import { type ClientConfig, DEFAULT_LIMITS, type EndpointConfig } from './config.js';

export type CheckedConfig = ClientConfig & { readonly server: EndpointConfig };

/** Throws `usage`. */
export function checkConfig(given: ClientConfig): CheckedConfig {
  const server: EndpointConfig = typeof given.server === 'string' ? { kind: 'embedkit', url: given.server } : given.server;
  for (const [role, endpoint] of Object.entries({ server, fallback: given.fallback })) {
    if (endpoint === undefined) continue;
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
  return { ...given, server };
}

/** Throws `usage` for what is no list of strings: a single string would be taken for a list of its letters. */
export function checkTexts(texts: readonly string[]): void {
  if (!Array.isArray(texts)) refuse('texts is no list', 'give a list of strings, also for one text');
  const at = texts.findIndex((text) => typeof text !== 'string');
  if (at !== -1) refuse(`text ${at} is no string`, 'give a list of strings');
}

function requireHttp(role: string, url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (!/^https?:$/.test(protocol)) refuse(`${role}: "${url}" is no address`, 'write it like http://127.0.0.1:8000');
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') refuse(`${role}: its url holds a password`, 'give the key as apiKey');
}

function refuse(found: string, hint: string): never {
  throw new EmbedkitError('usage', found, { hint });
}
