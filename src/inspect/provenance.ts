// What an output says of its making, read back from its metadata: the counterpart of job/provenance.ts.
import { z } from 'zod';
import { VECTOR_DTYPES } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import { ON_OVERFLOW } from '../job/config.js';
import { vectorRangesSchema } from '../model/manifest.js';
import { PRECISIONS } from '../model/names.js';
import { parseTemplate } from '../records/template.js';

const fields = z.looseObject({
  model: z.string(),
  precision: z.enum(PRECISIONS),
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  /** Length of the vectors. */
  dim: z.number().int().positive(),
  dtype: z.enum(VECTOR_DTYPES),
  /** Of int8: what its codes stand for. */
  int8_ranges: vectorRangesSchema.optional(),
  pooling: z.string(),
  normalize: z.boolean(),
  /** The text put before every text, not its name. */
  prompt: z.string(),
  max_tokens: z.number().int().positive(),
  on_overflow: z.enum(ON_OVERFLOW),
  /** Of long documents made into several rows. */
  chunk_tokens: z.number().int().positive().optional(),
  chunk_overlap: z.number().int().nonnegative().optional(),
  /** Field or template of the text. */
  text: z.string(),
  /** Field of the id, where one was named. */
  id: z.string().optional(),
});

const schema = fields.refine(({ dtype, dim, int8_ranges }) => dtype !== 'int8' || int8_ranges?.minimum.length === dim, {
  message: 'int8 needs a range a dimension',
  path: ['int8_ranges'],
});

/** The fields that verifying needs, and all others as they stand. */
export type Provenance = z.infer<typeof schema>;

/** Throws `input-unreadable` where the text is no provenance. */
export function parseProvenance(json: string, path: string): Provenance {
  try {
    return schema.parse(JSON.parse(json));
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const found = issue === undefined ? 'is not JSON' : `has no usable "${issue.path.join('.')}" (${issue.message})`;
    throw new EmbedkitError('input-unreadable', `${path}: the provenance in its metadata ${found}`, {
      hint: 'the file was altered: embed the input again',
      cause: error,
    });
  }
}

/** How the text of a row was found: provenance names a field and a template in the same place, and only a template has fields in braces. */
export function textSelection(text: string): { readonly textField: string } | { readonly template: string } {
  try {
    parseTemplate(text);
    return { template: text };
  } catch {
    return { textField: text };
  }
}
