// How the rows of an input become records, checked before a row is read.
import { EmbedkitError } from '../errors.js';
import type { ReadOptions } from '../records/formats.js';
import type { JobInput } from './config.js';

/** Throws `usage` where text is asked for in two ways. */
export function readOptions({ textField, template, idField, keep = [] }: JobInput, maxLineBytes: number): ReadOptions {
  if (textField !== undefined && template !== undefined) {
    throw new EmbedkitError('usage', '--text-field and --template both say what the text is', { hint: 'leave one of them out' });
  }
  return {
    selection: { textField: textField ?? 'text', template, idField, keep: keep.map((column) => column.name) },
    limits: { maxLineBytes },
  };
}
