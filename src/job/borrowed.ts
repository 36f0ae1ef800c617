// Rows that leave their vector in an earlier output get it back from there, by the hash of their text.
import type { Part, StoredPart } from '../columns/part.js';
import { EmbedkitError } from '../errors.js';
import { brokenRows } from '../vectors/normalise.js';
import type { VectorIndex } from './vector-index.js';

/** A part with the vectors of all its rows. Throws `input-unreadable` where the output that has them cannot be read any more, or has no vectors there. */
export function withBorrowed({ rows, borrowed, vectors }: StoredPart, known: VectorIndex): Part {
  if (vectors.rows === rows.length) return { rows, vectors };
  const { dim } = known;
  const data = new Float32Array(rows.length * dim);
  known.read(
    rows.map(({ contentHash }, row) => (borrowed[row] === 1 ? known.find(contentHash) : undefined)),
    data,
  );
  let own = 0;
  for (const row of rows.keys()) {
    if (borrowed[row] === 1) continue;
    data.set(vectors.data.subarray(own * dim, (own + 1) * dim), row * dim);
    own++;
  }
  const whole = { rows: rows.length, dim, data };
  const [broken] = brokenRows(whole, { unit: false });
  if (broken === undefined) return { rows, vectors: whole };
  const found = `the output that --reuse names has no vector of the text with content hash ${rows[broken]?.contentHash} any more`;
  throw new EmbedkitError('input-unreadable', found, { hint: 'run `embedkit verify` on it, or leave --reuse out' });
}
