// Speed as threads, lengths and batches grow: every model at every point, a few times over, alternating.
import type { TextTokenizer } from '../tokens/tokenizer.js';
import { startChild } from './child.js';
import { perSecond } from './figures.js';
import { LIMITS } from './options.js';
import type { Timed } from './protocol.js';
import type { Curve } from './result.js';
import type { Subject } from './subjects.js';
import { textsOfLength } from './texts.js';
import type { TurnSettings, Workload } from './turn.js';

export interface CurveSettings extends TurnSettings {
  readonly subjects: readonly Subject[];
  readonly work: Workload;
  readonly words: readonly string[];
  readonly tokenizer: TextTokenizer;
  readonly onStep: (said: string, done: number) => void;
}

const LENGTHS = [8, 16, 32, 64, 128, 256, 512];
const BATCHES = [1, 2, 4, 8, 16, 32, 64];
/** Up to here every number of threads is measured, above it powers of two. */
const EVERY_THREAD = 8;
const REPETITIONS = 3;
/** A point is timed for this share of a turn's measurement. */
const POINT_SHARE = 0.4;

interface Measured {
  readonly along: Curve['along'];
  readonly at: number;
  readonly timed: Timed;
}

/** One curve a variant and direction; CPU time of the processes is added up for the books. */
export async function drawCurves(settings: CurveSettings): Promise<{ curves: Curve[]; own_seconds: number }> {
  const { subjects } = settings;
  const byLength = lengthCalls(settings);
  const found: (Measured & { variant: string })[] = [];
  let own_seconds = 0;
  const steps = REPETITIONS * subjects.length;
  for (let step = 0; step < steps; step++) {
    const subject = subjects[step % subjects.length] as Subject;
    settings.onStep(`curves, ${Math.floor(step / subjects.length) + 1} of ${REPETITIONS}: ${subject.label}`, step / steps);
    for (const threads of threadCounts(settings.work.threads)) {
      const { measured, cpu_seconds } = await measureAt(subject, threads, byLength, settings);
      found.push(...measured.map((one) => ({ ...one, variant: subject.name })));
      own_seconds += cpu_seconds;
    }
  }
  return { curves: curvesOf(found), own_seconds };
}

/** Texts of each length that the models take, enough of them to keep the threads busy. */
function lengthCalls({ words, tokenizer, subjects, work }: CurveSettings): Map<number, string[]> {
  const most = Math.min(...subjects.map(({ folder }) => folder.manifest.max_tokens));
  const budget = (LIMITS.tokensAThread * work.threads) / 2;
  const texts = (length: number): string[] => textsOfLength(words, tokenizer, length, Math.max(work.threads, Math.round(budget / length)));
  return new Map(LENGTHS.filter((length) => length <= most).map((length) => [length, texts(length)]));
}

/** One process: the point of its threads, and with all threads the points of lengths and batches too. */
async function measureAt(
  subject: Subject,
  threads: number,
  byLength: ReadonlyMap<number, readonly string[]>,
  { work, script, signal }: CurveSettings,
): Promise<{ measured: Measured[]; cpu_seconds: number }> {
  const child = startChild(script, signal);
  try {
    await child.ask('open', { model: subject.spec, threads });
    const measured: Measured[] = [];
    const { batch } = work;
    const time = async (along: Curve['along'], at: number, texts: readonly string[], warm: number): Promise<void> => {
      const seconds = work.turnSeconds * POINT_SHARE;
      measured.push({ along, at, timed: await child.ask('time', { calls: [texts], layout: 'whole', batch, warm, seconds }) });
    };
    // The first calls allocate, and are not timed.
    await child.ask('time', { calls: [work.fixed.slice(0, batch)], layout: 'whole', batch, warm: 1, seconds: 0 });
    await time('threads', threads, work.fixed, 0);
    if (threads === work.threads) {
      for (const [length, texts] of byLength) await time('tokens', length, texts, 1);
      for (const size of BATCHES.filter((one) => one <= work.fixed.length)) await time('batch', size, work.fixed.slice(0, size), 2);
    }
    const { cpu_seconds } = await child.ask('facts');
    await child.ask('close');
    return { measured, cpu_seconds };
  } finally {
    await child.end();
  }
}

export function threadCounts(most: number): number[] {
  const counts = Array.from({ length: Math.min(most, EVERY_THREAD) }, (_, at) => at + 1);
  for (let count = 2 * EVERY_THREAD; count < most; count *= 2) counts.push(count);
  return counts.includes(most) ? counts : [...counts, most];
}

function curvesOf(found: readonly (Measured & { variant: string })[]): Curve[] {
  const keys = [...new Set(found.map(({ variant, along }) => JSON.stringify([variant, along])))];
  return keys.map((key) => {
    const [variant, along] = JSON.parse(key) as [string, Curve['along']];
    const own = found.filter((one) => one.variant === variant && one.along === along);
    const places = [...new Set(own.map(({ at }) => at))].sort((a, b) => a - b);
    const points = places.map((at) => {
      const timed = own.filter((one) => one.at === at).map((one) => one.timed);
      return {
        at,
        tokens_per_second: timed.map((one) => perSecond(one, 'tokens')),
        texts_per_second: timed.map((one) => perSecond(one, 'texts')),
      };
    });
    return { variant, along, points };
  });
}
