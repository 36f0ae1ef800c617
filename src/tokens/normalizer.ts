// What embedkit normalizes itself, because the library would do it otherwise than the Rust one: the rest stays with the library.
import { EmbedkitError } from '../errors.js';
import { bertNormalize } from './bert-normalize.js';
import { charsmapNormalizer } from './charsmap.js';

/** As tokenizer.json has it. */
export interface NormalizerJson {
  readonly type?: string;
  /** Of a BertNormalizer. */
  readonly lowercase?: boolean;
  readonly strip_accents?: boolean | null;
  /** Of a Precompiled one, in base64. */
  readonly precompiled_charsmap?: string;
  /** Of a Sequence. */
  readonly normalizers?: readonly NormalizerJson[];
}

export interface SplitNormalizer {
  /** Comes first. */
  readonly prepare: (text: string) => string;
  /** What the library does after it. */
  readonly rest: NormalizerJson | null;
}

/** Throws `model-invalid` for a broken table, `model-unsupported` for one that comes after other steps. */
export function splitNormalizer(normalizer: NormalizerJson | null): SplitNormalizer {
  if (normalizer?.type === 'BertNormalizer') return { prepare: bertPrepare(normalizer), rest: normalizer };
  const [first, ...others] = stepsOf(normalizer);
  if (others.some(hasCharsmap)) throw tooLate();
  if (first?.type !== 'Precompiled') return { prepare: (text) => text.toWellFormed(), rest: normalizer };
  const normalize = charsmapNormalizer(first.precompiled_charsmap ?? '');
  return { prepare: (text) => normalize(text.toWellFormed()), rest: { type: 'Sequence', normalizers: others } };
}

/** The library finds other characters to be controls, blanks and ideographs, and takes fewer accents off. */
function bertPrepare({ lowercase = true, strip_accents }: NormalizerJson): (text: string) => string {
  const stripAccents = strip_accents ?? lowercase;
  return (text) => bertNormalize(text, { lowercase, stripAccents });
}

/** A normalizer as its steps, sequences in sequences opened where they come first. */
function stepsOf(normalizer: NormalizerJson | null): readonly NormalizerJson[] {
  if (normalizer?.type !== 'Sequence') return normalizer === null ? [] : [normalizer];
  const [first, ...others] = normalizer.normalizers ?? [];
  return first === undefined ? [] : [...stepsOf(first), ...others];
}

function hasCharsmap(normalizer: NormalizerJson): boolean {
  return normalizer.type === 'Precompiled' || (normalizer.normalizers ?? []).some(hasCharsmap);
}

function tooLate(): EmbedkitError {
  return new EmbedkitError('model-unsupported', 'tokenizer.json: a Precompiled normalizer that is not the first step', {
    hint: 'choose another model; ids of this one would not be those that it was trained with',
  });
}
