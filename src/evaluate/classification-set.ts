// Texts with a class that people gave them: a classification set from a TSV file, divided into what is learnt and what is tested.
import { createHash } from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';
import { EmbedkitError } from '../errors.js';
import { badRow, checkText } from '../records/select.js';
import { linesOf, type TextLine } from './labelled-lines.js';

export interface ClassificationSet {
  readonly kind: 'classification';
  /** Folder and file without extension. */
  readonly name: string;
  readonly texts: readonly string[];
  /** Names of the classes, in code-unit order. */
  readonly classes: readonly string[];
  /** One a text: its class. */
  readonly labels: Int32Array;
  /** Rows to learn from and rows to test on. */
  readonly learnt: Int32Array;
  readonly tested: Int32Array;
}

const FORM = 'write lines of label, tab, text';

/** One text in five is tested. */
const TESTED_SHARE = 5;
/** Decides which: another word would be another division. */
const SEED = 'embedkit';

/**
 * Reads `label<TAB>text` lines; a first line "label<TAB>text" is a header. A text that stands there twice counts once. Of each class
 * the fifth whose texts' SHA-256 is least is tested: the same texts on every machine, whatever their order.
 * @throws EmbedkitError `bad-row` naming file and line, or for fewer than two classes or a class of one text; `input-not-found`
 */
export async function readClassificationSet(path: string): Promise<ClassificationSet> {
  const byText = new Map<string, string>();
  for await (const line of linesOf(path, FORM)) {
    const [label, text] = fieldsOf(line);
    if (line.place.number === 1 && label === 'label' && text === 'text') continue;
    const before = byText.get(text);
    if (before !== undefined && before !== label) {
      throw badRow(line.place, `another label (${label}, before ${before}) for a text labelled before`, 'remove one of the two lines');
    }
    byText.set(text, label);
  }
  const texts = [...byText.keys()];
  const classes = [...new Set(byText.values())].sort((a, b) => (a < b ? -1 : 1));
  const numbers = new Map(classes.map((name, number) => [name, number]));
  const labels = Int32Array.from(texts, (text) => numbers.get(byText.get(text) as string) as number);
  checkClasses(path, classes, labels);
  return { kind: 'classification', name: nameOf(path), texts, classes, labels, ...divided(texts, classes.length, labels) };
}

function fieldsOf({ text, place }: TextLine): [string, string] {
  const tab = text.indexOf('\t');
  if (tab === -1) throw badRow(place, 'no tab', FORM);
  const label = text.slice(0, tab).trim();
  if (label === '') throw badRow(place, 'the label is empty', FORM);
  return [label, checkText(text.slice(tab + 1), 'the text', place)];
}

function checkClasses(path: string, classes: readonly string[], labels: Int32Array): void {
  const hint = 'name a set with at least two classes of two different texts each';
  if (classes.length < 2) {
    throw new EmbedkitError('bad-row', `${path}: ${classes.length === 0 ? 'holds no text' : `all texts are ${classes[0]}`}`, { hint });
  }
  const lonely = classes.findIndex((_, number) => labels.filter((label) => label === number).length < 2);
  if (lonely === -1) return;
  throw new EmbedkitError('bad-row', `${path}: the class ${classes[lonely]} has one text, which cannot be both learnt and tested`, {
    hint,
  });
}

function divided(texts: readonly string[], classes: number, labels: Int32Array): Pick<ClassificationSet, 'learnt' | 'tested'> {
  const keys = texts.map((text) => createHash('sha256').update(SEED).update(text).digest('hex'));
  const tested = new Set<number>();
  for (let number = 0; number < classes; number++) {
    const rows = texts.flatMap((_, row) => (labels[row] === number ? [row] : []));
    rows.sort((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : 1));
    for (const row of rows.slice(0, Math.max(1, Math.round(rows.length / TESTED_SHARE)))) tested.add(row);
  }
  const rows = Int32Array.from(texts.keys());
  return { learnt: rows.filter((row) => !tested.has(row)), tested: rows.filter((row) => tested.has(row)) };
}

function nameOf(path: string): string {
  const full = resolve(path);
  return [basename(dirname(full)), basename(full).replace(/(\.(tsv|txt))?(\.(gz|zst))?$/i, '')].filter(Boolean).join('/');
}
