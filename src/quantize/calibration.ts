// Calibration texts: read from any input that `embed` takes, and thinned to a sample of all its lengths, a part of it held out.
import { EmbedkitError } from '../errors.js';
import { DEFAULT_MAX_LINE_BYTES, type JobInput } from '../job/config.js';
import { BlankText, isBad } from '../records/bad-rows.js';
import type { ReadOptions } from '../records/formats.js';
import { type Input, readRecords, resolveInputs } from '../records/read.js';
import type { BadRow } from '../records/record.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import { type CalibrationFile, describeFiles, digestOf } from './calibration-digest.js';
import { createStrata, type Pick as Picked, type Strata, splitHeldOut } from './stratify.js';

/** Input as `embed` takes it; ids are not used, but a row whose id is none is a bad row there too. */
type CalibrationInput = Pick<JobInput, 'paths' | 'from' | 'stdin' | 'textField' | 'template' | 'idField' | 'maxLineBytes'>;

export interface CalibrationOptions extends CalibrationInput {
  /** Texts to pick, held out ones included; fewer where there are not as many different ones. */
  readonly samples: number;
  /** Share of the picks that is held out: 0 to below 1. */
  readonly heldOutShare: number;
}

export interface CalibrationText {
  /** As read; of a text far beyond the model's limit, the first 16 characters for each token of the limit. */
  readonly text: string;
  /** Special tokens included, truncated at the limit. */
  readonly tokens: number;
}

export interface Calibration {
  /** In the order of the corpus, as are those held out; no text stands twice in the two. */
  readonly observed: readonly CalibrationText[];
  readonly heldOut: readonly CalibrationText[];
  /** Rows read, dropped ones included. Blank lines of JSON lines and of plain text are not rows. */
  readonly rows: number;
  readonly dropped: Dropped;
  readonly files: readonly CalibrationFile[];
  /** Texts among those observed that are not of the corpus but fill it up; see supplement.ts. */
  readonly supplemented?: number;
  /** SHA-256 of the observed texts and then those held out, each as a JSON string and a line feed, an empty line between. */
  readonly digest: string;
}

interface Dropped {
  /** Rows whose text is empty or only white space. */
  blank: number;
  /** All other rows that hold no text. */
  notText: number;
}

// No tokenizer for running text makes tokens of 16 characters on average, and no English one of more than five.
const CHARACTERS_A_TOKEN = 16;
// Above this, a stratum of very long texts keeps fewer: 64 MiB at two bytes a character.
const STRATUM_CHARACTERS = 2 ** 25;

/**
 * Reads a corpus once, in memory that depends on `samples` and not on its size, and picks texts of all lengths from all of it: the
 * same texts each time. Throws what reading throws, `usage` for options that cannot be, `bad-row` where no row holds a text.
 * @param maxTokens tokens that the model takes, special ones included
 */
export async function readCalibration(options: CalibrationOptions, tokenizer: TextTokenizer, maxTokens: number): Promise<Calibration> {
  checkOptions(options);
  const inputs = await resolveInputs(options.paths, { from: options.from, stdin: options.stdin });
  const limits = { texts: 2 * options.samples, characters: STRATUM_CHARACTERS, longest: CHARACTERS_A_TOKEN * maxTokens };
  const survey: Survey = { strata: createStrata(limits), rows: 0, dropped: { blank: 0, notText: 0 }, firstBad: undefined };
  const ends: number[] = [];
  for (const input of inputs) {
    await surveyInput(input, options, survey);
    ends.push(survey.rows);
  }
  if (survey.strata.kept === 0) throw nothingLeft(inputs, survey);
  const picks = survey.strata.pick(options.samples);
  const { observed, heldOut } = splitHeldOut(picks, options.heldOutShare);
  const parts = [observed, heldOut].map((part) => part.sort((a, b) => a.position - b.position));
  const count = ({ text }: Picked): CalibrationText => ({ text, tokens: tokenizer.encode(text, maxTokens).ids.length });
  return {
    observed: observed.map(count),
    heldOut: heldOut.map(count),
    rows: survey.rows,
    dropped: survey.dropped,
    files: await describeFiles(inputs, ends, parts),
    digest: digestOf(parts),
  };
}

function checkOptions({ samples, heldOutShare }: CalibrationOptions): void {
  if (!Number.isSafeInteger(samples) || samples < 1) {
    throw new EmbedkitError('usage', `${samples} calibration texts: not a whole number of at least 1`, { hint: 'ask for some hundreds' });
  }
  if (!(heldOutShare >= 0 && heldOutShare < 1)) {
    throw new EmbedkitError('usage', `a held-out share of ${heldOutShare}: not from 0 to below 1`, { hint: 'take a fifth, for example' });
  }
}

interface Survey {
  readonly strata: Strata;
  rows: number;
  readonly dropped: Dropped;
  firstBad: EmbedkitError | undefined;
}

async function surveyInput(input: Input, options: CalibrationOptions, survey: Survey): Promise<void> {
  for await (const items of readRecords([input], readOptions(options), { bytesDone: 0 })) {
    for (const item of items) {
      const row = survey.rows++;
      if (isBad(item)) drop(item, survey);
      else survey.strata.add(item.text, row);
    }
  }
}

function drop({ error }: BadRow, survey: Survey): void {
  survey.dropped[error instanceof BlankText ? 'blank' : 'notText']++;
  survey.firstBad ??= error;
}

function readOptions({ textField = 'text', template, idField, maxLineBytes }: CalibrationOptions): ReadOptions {
  const selection = { textField, template, idField, keep: [] };
  return { selection, limits: { maxLineBytes: maxLineBytes ?? DEFAULT_MAX_LINE_BYTES } };
}

function nothingLeft(inputs: readonly Input[], { rows, firstBad }: Survey): EmbedkitError {
  const names = inputs.map(({ source }) => source.name);
  const where = names.length === 1 ? names[0] : `${names.length} files from ${names[0]} on`;
  if (firstBad === undefined) {
    return new EmbedkitError('bad-row', `${where}: no rows to calibrate with`, { hint: 'name an input that holds texts' });
  }
  const hint = firstBad.hint === undefined ? {} : { hint: firstBad.hint };
  return new EmbedkitError('bad-row', `no text in any of ${rows} rows to calibrate with; the first: ${firstBad.message}`, {
    ...hint,
    cause: firstBad,
  });
}
