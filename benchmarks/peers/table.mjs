// The peers' results as a table for people.
import { median } from '../machine.mjs';

/** The table of a finished run, as Markdown. */
export function markdown({ result, subjects, embedkits, options, batch: BATCH, batches: BATCHES }) {
  const { machine: m, before, after } = result;
  const { limit, threads, rounds } = options;
  const flags = m.flags
    .split(' ')
    .filter((f) => /^(avx|fma|f16c|amx)/.test(f))
    .join(' ');
  const ok = result.runs.filter((r) => !r.error);
  const bases = embedkits.map(({ id }) => new Map(ok.filter((r) => r.id === id).map((r) => [r.round, r.seconds])));
  const spread = (n, digits) => `${median(n).toFixed(digits)} (${Math.min(...n).toFixed(digits)}–${Math.max(...n).toFixed(digits)})`;

  const row = (subject, batch, label) => {
    const of = (list) => list.filter((r) => r.id === subject.id && r.batch === batch);
    const runs = of(ok);
    if (runs.length === 0) {
      const why = result.failed[subject.id] ?? of(result.runs)[0]?.error ?? 'not tried';
      return `| ${subject.name} | ${label} | could not run: ${why.replaceAll('|', '\\|')} | | | | | | |`;
    }
    const ratiosTo = (base) => runs.filter((r) => base.has(r.round)).map((r) => r.seconds / base.get(r.round));
    const seconds = runs.map((r) => r.seconds);
    return `| ${[
      subject.name,
      label,
      spread(seconds, 2),
      (runs[0].texts / median(seconds)).toFixed(1),
      ...bases.map(ratiosTo).map((ratios) => (ratios.length ? spread(ratios, 2) : '–')),
      median(runs.map((r) => r.load_seconds)).toFixed(1),
      Math.round(median(runs.map((r) => r.peak_rss_mb))),
      `${Math.min(...runs.map((r) => r.cosine.min)).toFixed(9)} / ${median(runs.map((r) => r.cosine.mean)).toFixed(9)}`,
    ].join(' | ')} |`;
  };
  const rows = (list) =>
    list.flatMap((s) => {
      const best = result.best[s.id];
      if (best === undefined) return [row(s, BATCH, '–')];
      return best === BATCH ? [row(s, BATCH, '32 (its best)')] : [row(s, BATCH, '32'), row(s, best, `${best} (its best)`)];
    });
  const head = (against) => [
    `| | batch | seconds (min–max) | texts/s | seconds ÷ embedkit fp32's (range) | ÷ embedkit INT8's (range) | load s | peak RSS MB | cosine to ${against}, min / mean |`,
    '|---|---|---|---|---|---|---|---|---|',
  ];
  const against = [...new Set(ok.map((r) => r.cosine.against))].join(', ') || embedkits[0].id;
  const versions = new Map(ok.flatMap((r) => [[r.peer, r.versions]]));
  const steals = ok.map((r) => r.steal_percent);
  const isSorted = (s) => s.id.endsWith('_sorted');
  const plain = subjects.filter((s) => !isSorted(s));
  const sorted = subjects.filter(isSorted);
  return `${[
    `bge-small-en-v1.5, fp32 (and embedkit's INT8), the first ${limit} lines of ${m.texts.file}, ${threads} threads; medians of ${rounds} alternating rounds, each run a fresh process.`,
    '',
    ...head(against),
    ...embedkits.map((one) => row(one, BATCH, 'its own')),
    ...rows(plain),
    ...(sorted.length
      ? [
          '',
          'The same, with the texts sorted by length by the caller and the order restored (timed):',
          '',
          ...head(against),
          ...rows(sorted),
        ]
      : []),
    '',
    `- Machine: ${m.cpu}, ${m.cores} cores, ${m.memory_gb} GB, Linux ${m.kernel}; ${flags}`,
    `- From ${before.date} to ${after.date}; load average ${before.load_average[0].toFixed(2)} before, ${after.load_average[0].toFixed(2)} after; steal in a run up to ${Math.max(0, ...steals)}%`,
    `- "Its best": the fastest of ${BATCHES.join(', ')} over the first ${options['sweep-limit']} texts${options.best ? `; given, not swept: ${options.best}` : ''}`,
    ...[...versions].map(
      ([peer, v]) =>
        `- ${peer}: ${Object.entries(v)
          .map((pair) => pair.join(' '))
          .join(', ')}`,
    ),
  ].join('\n')}\n`;
}
