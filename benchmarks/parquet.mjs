// What compressing vectors costs and saves in Parquet: the vectors of examples/passages.jsonl, written and read by the library that embed uses.
// usage: node benchmarks/parquet.mjs --out FOLDER [--rounds 7]. Writes OUT/parquet.json (every round) and prints a table.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Field, FixedSizeList, Float32, makeData, RecordBatch, RecordBatchStreamWriter, Schema, Struct } from 'apache-arrow';
import { Compression, EnabledStatistics, readParquet, Table, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm';
import { openModel } from '../dist/index.js';
import { load, machine, median } from './machine.mjs';

const { values: options } = parseArgs({ options: { out: { type: 'string' }, rounds: { type: 'string', default: '7' } } });
if (!options.out) {
  console.error('parquet.mjs: --out is needed');
  process.exit(2);
}
const CODECS = ['UNCOMPRESSED', 'ZSTD', 'SNAPPY', 'LZ4_RAW'];
const TIMES = 20;

const lines = readFileSync(new URL('../examples/passages.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');
const model = await openModel();
const { rows, dim, data } = await model.embed(lines.map((line) => JSON.parse(line).text));
await model.close();

const type = new FixedSizeList(dim, new Field('item', new Float32(), false));
const child = makeData({ type: new Float32(), data, nullCount: 0 });
const children = [makeData({ type, length: rows, nullCount: 0, child })];
const schema = new Schema([new Field('embedding', type, false)]);
const batch = new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children }));
const ipc = new RecordBatchStreamWriter().writeAll([batch]).toUint8Array(true);

function write(codec) {
  const properties = new WriterPropertiesBuilder().setCompression(Compression[codec]).setDictionaryEnabled(false);
  return writeParquet(Table.fromIPCStream(ipc), properties.setStatisticsEnabled(EnabledStatistics.None).build());
}

function milliseconds(work) {
  const started = performance.now();
  for (let time = 0; time < TIMES; time++) work();
  return (performance.now() - started) / TIMES;
}

const result = { machine: machine(), vectors: { rows, dim, bytes: data.byteLength }, times_a_round: TIMES, before: load(), rounds: [] };
for (let round = 0; round < Number(options.rounds); round++) {
  for (const codec of CODECS) {
    const bytes = write(codec);
    const write_ms = milliseconds(() => write(codec).length);
    const read_ms = milliseconds(() => readParquet(bytes).intoIPCStream());
    result.rounds.push({ round, codec, bytes: bytes.length, write_ms, read_ms });
  }
}
result.after = load();
mkdirSync(options.out, { recursive: true });
writeFileSync(join(options.out, 'parquet.json'), `${JSON.stringify(result, null, 2)}\n`);
const of = (codec, name) => median(result.rounds.filter((run) => run.codec === codec).map((run) => run[name]));
console.log('| codec | bytes of the vectors | write, ms | read, ms |\n|---|---|---|---|');
for (const codec of CODECS) {
  const share = ((100 * of(codec, 'bytes')) / data.byteLength).toFixed(1);
  console.log(`| ${codec} | ${share}% | ${of(codec, 'write_ms').toFixed(2)} | ${of(codec, 'read_ms').toFixed(2)} |`);
}
