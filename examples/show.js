// Shows what `embedkit embed` wrote: node examples/show.js FILE.parquet [ID]
// Reads the Parquet file back, prints its columns, and the passages nearest to one of them.
import { readFileSync } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';

const [file = 'passages.parquet', id = 'bicycles-03'] = process.argv.slice(2);
const table = tableFromIPC(readParquet(readFileSync(file)).intoIPCStream());

console.log(`\n${file}: ${table.numRows} rows`);
for (const field of table.schema.fields) console.log(`  ${field.name.padEnd(13)} ${field.type}`);

const ids = table.getChild('id').toArray();
const titles = table.getChild('title').toArray();
const embeddings = table.getChild('embedding');
const chosen = ids.indexOf(id);
const query = embeddings.get(chosen).toArray();

/** The vectors have length 1, so the dot product is the cosine similarity. */
function similarity(row) {
  const vector = embeddings.get(row).toArray();
  return vector.reduce((sum, value, index) => sum + value * query[index], 0);
}

const ranked = ids.map((_, row) => ({ row, score: similarity(row) })).sort((a, b) => b.score - a.score);
console.log(`\nnearest to ${id} (${titles[chosen]}):`);
for (const { row, score } of ranked.slice(1, 6)) console.log(`  ${score.toFixed(3)}  ${ids[row].padEnd(14)} ${titles[row]}`);
