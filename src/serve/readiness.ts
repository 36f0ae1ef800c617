// Whether a model can answer now: a vector came out of it lately, or one does when asked for.
import type { ServedModel } from './models.js';

/** A vector that is older than this proves nothing any more. */
const LATELY_MS = 10_000;
/** So long an idle model has to prove itself. */
const PROOF_MS = 2_000;

const asked = new WeakMap<ServedModel, Promise<boolean>>();

/** True where an engine is up and a vector came out within ten seconds, or does within two. */
export async function isReady(model: ServedModel): Promise<boolean> {
  if (model.engines.ready === 0) return false;
  if (performance.now() - model.dispatcher.lastSuccess < LATELY_MS) return true;
  // Several probes that ask at once share one inference.
  const running = asked.get(model) ?? prove(model).finally(() => asked.delete(model));
  asked.set(model, running);
  return running;
}

export function secondsSinceSuccess({ dispatcher }: ServedModel): number | null {
  const seconds = (performance.now() - dispatcher.lastSuccess) / 1000;
  return Number.isFinite(seconds) ? Math.round(seconds * 1000) / 1000 : null;
}

async function prove({ dispatcher, tokenizer, maxTokens }: ServedModel): Promise<boolean> {
  const ids = Int32Array.from(tokenizer.encode('ready?', maxTokens).ids);
  return dispatcher.embed([ids], { client: 'readiness', signal: AbortSignal.timeout(PROOF_MS) }).then(
    () => true,
    () => false,
  );
}
