// When the fallback may be asked, and whether what it answers may be handed on: never another model's vectors unless the caller says so.
import { EmbedkitError } from '../errors.js';
import type { EmbedOptions } from './config.js';
import type { Declared } from './dialects/dialect.js';
import type { Endpoint } from './endpoint.js';
import { Failure, toError } from './failure.js';
import { type Made, madeBy, strange } from './made.js';
import { type IndexModel, likenessOf } from './same-model.js';

export interface FallbackCase {
  readonly fallback: Endpoint;
  readonly index: IndexModel;
  /** Why the server is not used. */
  readonly failed: EmbedkitError;
}

/** Throws `failed`, with the reason why no fallback was taken; `model-differs`; or how the fallback failed as well. */
export async function fromFallback(
  { fallback, index, failed }: FallbackCase,
  texts: readonly string[],
  options: EmbedOptions,
  signal: AbortSignal,
): Promise<Made> {
  const refusal = options.allowOtherModel ? undefined : await whyNot(fallback, index, options, signal);
  if (refusal !== undefined) throw notTaken(failed, fallback, refusal);
  const answer = await fallback.embed(texts, options, signal).catch((error: unknown) => {
    throw error instanceof Failure ? bothFailed(failed, toError(error, fallback.config.url)) : error;
  });
  const named = { ...answer, model: answer.model ?? fallback.config.model };
  const made = madeBy(named, named.fingerprint ?? (await fingerprintOf(fallback, named.model, signal)));
  const likeness = likenessOf(index, made) ?? (options.allowOtherModel ? 'other-model-allowed' : undefined);
  if (likeness === undefined) throw strange(fallback.config.url, made, index);
  return { answer: named, made, likeness };
}

/** Why the fallback must not be taken by itself; undefined: it may. Looked at before texts are sent anywhere. */
async function whyNot(fallback: Endpoint, index: IndexModel, options: EmbedOptions, signal: AbortSignal): Promise<string | undefined> {
  const { model } = fallback.config;
  if (!fallback.canPrompt(options)) return `it knows no prompt "${options.prompt}", and prompts of the endpoint does not give its text`;
  if (likenessOf(index, { model, fingerprint: undefined, dimension: undefined }) !== undefined) return undefined;
  if (index.fingerprint === undefined)
    return `sameModel does not list ${model ?? 'its model'}, and the fingerprint of the index is not known`;
  const asked = await declaredBy(fallback, model, signal);
  if (asked instanceof Failure) return `what it declares could not be asked: ${toError(asked, fallback.config.url).message}`;
  const declared = asked?.fingerprint;
  if (declared === index.fingerprint) return undefined;
  return declared === undefined
    ? `it declares no fingerprint, and sameModel does not list ${model ?? 'its model'}`
    : `it declares another fingerprint (${declared.slice(0, 12)}…)`;
}

async function fingerprintOf(fallback: Endpoint, model: string | undefined, signal: AbortSignal): Promise<string | undefined> {
  const declared = await declaredBy(fallback, model, signal);
  return declared instanceof Failure ? undefined : declared?.fingerprint;
}

/** What it declares of a model, or why that is not known. */
async function declaredBy(fallback: Endpoint, model: string | undefined, signal: AbortSignal): Promise<Declared | Failure | undefined> {
  try {
    return await fallback.declared(model, signal);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function notTaken(failed: EmbedkitError, { config }: Endpoint, why: string): EmbedkitError {
  return new EmbedkitError(failed.code, `${failed.message}; the fallback ${config.url} was not taken: ${why}`, {
    hint: 'list it in sameModel if it is the same model, or say allowOtherModel for a call whose vectors go into no index',
    cause: failed,
  });
}

function bothFailed(failed: EmbedkitError, also: EmbedkitError): EmbedkitError {
  return new EmbedkitError(also.code, `${failed.message}; and the fallback: ${also.message}`, { hint: also.hint ?? '', cause: also });
}
