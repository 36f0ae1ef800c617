// The rows of the files that fixtures/make.py wrote with pyarrow.
import { fileURLToPath } from 'node:url';

export const FIXTURE_ROWS = Array.from({ length: 40 }, (_, i) => ({
  id: String(2n ** 60n + BigInt(i)),
  text: `row ${i} é漢😀 ${'ab'.repeat(i * 2)}`,
  kind: ['red', 'green', 'blue'][i % 3],
  score: i % 5 === 0 ? null : i / 3,
  body: `body ${i}`,
}));

export function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
}
