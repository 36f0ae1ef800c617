// The engines' results as tables for people.
import { median } from '../machine.mjs';

// What ratios are against, by thread budget: embedkit spends two threads on two sessions.
const BASE = { 1: 'int8-node-1x1', 2: 'int8-node-2x1' };

/** The tables of a finished run, as Markdown. */
export function markdown(result) {
  const { machine: m, options, batches, before, after } = result;
  const flags = m.flags.split(' ').filter((flag) => /^(avx|fma|f16c|amx)/.test(flag));
  const versions = Object.assign({}, ...result.starts.map((start) => start.versions));
  const details = result.starts
    .filter(({ block, details }) => block === 1 && Object.keys(details ?? {}).length > 0)
    .map(({ id, details }) => [id, details]);
  return `${[
    `Engines on bge-small-en-v1.5, batches of about ${options.tokens} tokens, no padding; ${options.blocks} x ${options.rounds} alternating rounds of ${options.seconds} s each, every engine started anew ${options.blocks} times.`,
    '',
    'tokens/s: median (min–max of the rounds). Ratio: median (min–max) of the ratios within a round; for two threads, of embedkit as two sessions of one thread.',
    ...options.widths.flatMap((width) => tableOf(result, width, batches.find((batch) => batch.width === width).rows)),
    '',
    `- Cosine: CLS vectors of ${batches.find(({ width }) => width === 50).rows} texts of 50 tokens cut from lines of ${result.texts.file}, min / mean over every start, to those of ${result.reference}.`,
    `- Machine: ${m.cpu}, ${m.cores} cores, ${m.memory_gb} GB, Linux ${m.kernel}; ${flags.join(' ')}`,
    `- From ${before.date} to ${after.date}; load average ${before.load_average[0].toFixed(2)} before; ticks stolen in a measurement up to ${Math.max(...result.runs.map((run) => run.steal_ticks))}`,
    `- ${Object.entries(versions)
      .map((pair) => pair.join(' '))
      .join(', ')}`,
    ...Object.entries(result.files).map(([name, { file, sha256 }]) => `- ${name}: ${file}, SHA-256 ${sha256}`),
    ...details.map(
      ([id, { products, ...rest }]) =>
        `- ${id}: ${Object.entries({ ...rest, ...products })
          .map(([k, v]) => `${k} ${v}`)
          .join(', ')}`,
    ),
  ].join('\n')}\n`;
}

function tableOf(result, width, rows) {
  return [
    '',
    `### ${rows} texts of ${width} tokens`,
    '',
    '| engine | sessions x threads | tokens/s | embedkit INT8 ÷ it | cosine, min / mean |',
    '|---|---|---|---|---|',
    ...[1, 2].flatMap((budget) =>
      result.engines.filter((one) => one.sessions * one.threads === budget).map((engine) => rowOf(result, width, budget, engine)),
    ),
  ];
}

function rowOf(result, width, budget, engine) {
  const mine = roundsOf(result, engine.id, width);
  const base = roundsOf(result, BASE[budget], width);
  const both = [...mine.keys()].filter((key) => base.has(key));
  const ratios = both.map((key) => base.get(key) / mine.get(key));
  const ratio = both.length ? `${median(ratios).toFixed(2)} (${range(ratios, 2)})` : '–';
  const rates = [...mine.values()];
  const speed = rates.length ? `${median(rates).toFixed(0)} (${range(rates, 0)})` : (result.failed[engine.id] ?? '–');
  return `| ${[engine.name, `${engine.sessions} x ${engine.threads}`, speed, ratio, cosineOf(result, engine.id)].join(' | ')} |`;
}

const range = (numbers, digits) => `${Math.min(...numbers).toFixed(digits)}–${Math.max(...numbers).toFixed(digits)}`;

function roundsOf(result, id, width) {
  const runs = result.runs.filter((run) => run.id === id && run.width === width);
  return new Map(runs.map((run) => [`${run.block}.${run.round}`, run.tokens_per_second]));
}

function cosineOf(result, id) {
  const cosines = result.starts.filter((start) => start.id === id).flatMap((start) => start.cosines ?? []);
  if (cosines.length === 0) return '–';
  return `${Math.min(...cosines).toFixed(6)} / ${(cosines.reduce((a, b) => a + b) / cosines.length).toFixed(6)}`;
}
