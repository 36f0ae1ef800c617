// The 200 texts of vectors.f32: the same derivation as in vectors.py.
import { readFileSync } from 'node:fs';

interface Passage {
  readonly title: string;
  readonly text: string;
}

const passages = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Passage);

export const GOLDEN_TEXTS: readonly string[] = Array.from({ length: 200 }, (_, i) => {
  if (i % 10 === 0) return (passages[i] as Passage).title;
  return passages
    .slice(i, i + (i % 4) + 1)
    .map((passage) => passage.text)
    .join(' ');
});

/** vectors.f32 as rows x 384 float32. */
export function goldenVectors(): Float32Array {
  const bytes = readFileSync(new URL('./vectors.f32', import.meta.url));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
