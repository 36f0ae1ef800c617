// Works the tables of docs/choosing-a-model.md: what a model's shape costs, counted from the shape; rates and memory, from committed runs.
// usage: node benchmarks/choosing.mjs [--bench FILE] [--large FILE]
// FILEs: what `embedkit bench --json` and benchmarks/large.mjs wrote. Without a run of the large shape only what the shapes say is printed.
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { bench: { type: 'string' }, large: { type: 'string' } } });
const at = (name) => new URL(`2026-11-26-epyc-2core/${name}`, import.meta.url);
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const SHAPES = [
  { name: 'bge-small', layers: 12, hidden: 384 },
  { name: 'bge-base', layers: 12, hidden: 768 },
  { name: 'bge-large', layers: 24, hidden: 1024 },
];
const [VOCABULARY, POSITIONS, TYPES] = [30522, 512, 2];
/** Texts of this many tokens, for the share of attention. */
const TOKENS = 50;

const round = (number, digits = 0) => number.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });
const mebibytes = (bytes) => `${round(bytes / 2 ** 20)} MiB`;

/** A layer multiplies by four matrices of width x width and two of width x four widths; queries meet keys, and weights values. */
function costOf({ layers, hidden }) {
  const products = 2 * layers * 12 * hidden ** 2;
  const attention = 4 * layers * hidden * TOKENS;
  const layer = 12 * hidden ** 2 + 13 * hidden;
  return { products, attention, weights: (VOCABULARY + POSITIONS + TYPES + 2) * hidden + layers * layer };
}

const rows = SHAPES.map((shape) => {
  const { products, attention, weights } = costOf(shape);
  const storage = [4, 1, 1 / 8].map((bytes) => `${round((shape.hidden * bytes * 1e6) / 1e9, 2)} GB`).join(' | ');
  const size = `${shape.layers} x ${round(shape.hidden)}`;
  return `| ${shape.name} | ${size} | ${round(weights / 1e6)} M | ${round(products / 1e6)} M | ${round(attention / 1e6, 1)} M | ${storage} |`;
});

console.log(`| shape | layers x width | weights | operations a token, products by weights | attention at ${TOKENS} tokens | a million vectors, float32 | int8 | binary |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}`);

/** What was measured of bge-small and of the large shape. */
function measuredTables(bench, large) {
  const step = (name) => large.steps.find((one) => one.name === name);
  /** Of the command itself, the loading of the model with it. */
  const largeRate = (name) => {
    const [, tokens] = /([\d,]+) tokens in /.exec(step(name).said.join('\n'));
    return Number(tokens.replaceAll(',', '')) / step(name).seconds;
  };
  const memoryOf = ({ peak_bytes, peak_over_source }) => `${mebibytes(peak_bytes)} | ${round(peak_over_source, 2)}`;
  const rates = [
    ['full precision', 'fp32', 'embed fp32'],
    ['INT8', 'int8', 'embed int8'],
  ].map(([label, of, name]) => {
    const [small, big] = [bench.variants.find((one) => one.name === of).tokensPerSecond, largeRate(name)];
    return `| ${label} | ${round(small)} tokens/s | ${round(big)} tokens/s | ${round(small / big)} | ${memoryOf(step(name))} |`;
  });
  const steps = ['export', 'quantize'].map(
    (name) => `| ${name} | ${round(step(name).seconds / 60, 1)} minutes | ${memoryOf(step(name))} |`,
  );
  return `
| \`embed\` | bge-small | bge-large's shape | times as long | peak memory of the large one | ÷ its weights of ${mebibytes(large.source_bytes)} |
|---|---|---|---|---|---|
${rates.join('\n')}

| bge-large's shape | takes | peak memory | ÷ its weights |
|---|---|---|---|
${steps.join('\n')}`;
}

const largeRun = values.large ?? at('large.json');
if (existsSync(largeRun)) console.log(measuredTables(read(values.bench ?? at('bench.json')), read(largeRun)));
