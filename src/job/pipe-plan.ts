// Whether a run is a pipe: one Arrow stream in, one out, record batch for record batch. And what a pipe does not do.
import { typeOfItsOwn } from '../columns/kept-errors.js';
import { EmbedkitError } from '../errors.js';
import type { Input } from '../records/read.js';
import type { Source } from '../records/source.js';
import type { JobConfig } from './config.js';
import type { Target } from './target.js';

/** The stream that a pipe reads; undefined where a run is none. Throws `usage`. */
export function pipeSource(
  inputs: readonly Input[],
  format: string,
  target: Target | undefined,
  { input, model }: JobConfig,
): Source | undefined {
  const [only, ...others] = inputs;
  if (only?.format !== 'arrow-stream' || others.length > 0 || format !== 'arrow-stream' || target !== undefined) return undefined;
  const typed = input.keep?.find(({ type }) => type !== undefined);
  if (typed !== undefined) throw typeOfItsOwn(typed);
  if (model?.onOverflow !== 'chunk') return only.source;
  throw new EmbedkitError('usage', '--on-overflow chunk makes several rows of one, and a pipe of Arrow streams gives one for one', {
    hint: 'cut the texts before they are sent, or say --from arrow',
  });
}

/** Throws `usage` where `--quarantine` names a file for a run that has one. */
export function checkQuarantine({ quarantine, onError, output }: JobConfig, target: Target | undefined): void {
  if (quarantine === undefined) return;
  if (target !== undefined) {
    throw new EmbedkitError('usage', `--quarantine is for streams: bad rows of ${output.path} go to a file beside it`, {
      hint: 'leave it out',
    });
  }
  if (onError !== 'fail') return;
  throw new EmbedkitError('usage', '--quarantine and --on-error fail exclude each other', { hint: 'leave one of them out' });
}
