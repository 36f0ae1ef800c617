// One turn of one subject: a fresh process, started, warmed, measured and ended.
import { startChild } from './child.js';
import type { Layout, ProcessFacts, RoofTurn, Timed } from './protocol.js';
import type { Subject } from './subjects.js';

/** What every turn embeds. */
export interface Workload {
  readonly threads: number;
  readonly batch: number;
  readonly turnSeconds: number;
  /** Texts of the fixed length: enough for the threads to be busy for a while. */
  readonly fixed: readonly string[];
  /** Sample of a corpus, if one is measured. */
  readonly corpus: readonly string[] | undefined;
}

export interface Turn extends ProcessFacts {
  readonly round: number;
  /** Without what the corpus took in unsorted and padded batches. */
  readonly peak_bytes: number;
  /** From the start of the process to its first vector. */
  readonly start_ms: number;
  /** One text a call. */
  readonly one: Timed;
  /** One batch a call. */
  readonly batch: Timed;
  /** Many texts a call, as `embed` hands them over. */
  readonly many: Timed;
  /** One text a request, to a server on this machine. */
  readonly served?: Timed;
  /** The sample of the corpus, a call each: see Layout. */
  readonly corpus?: Readonly<Record<Layout, Timed>>;
}

export interface TurnSettings {
  readonly script: URL;
  readonly signal: AbortSignal | undefined;
}

type Time = (calls: readonly (readonly string[])[], layout: Layout, warm: number, seconds?: number) => Promise<Timed>;

export async function takeTurn(subject: Subject, work: Workload, round: number, { script, signal }: TurnSettings): Promise<Turn> {
  const started = performance.now();
  const child = startChild(script, signal);
  try {
    await child.ask('open', { model: subject.spec, threads: work.threads });
    const { batch, fixed } = work;
    const time: Time = (calls, layout, warm, seconds = work.turnSeconds) => child.ask('time', { calls, layout, batch, warm, seconds });
    await time([fixed.slice(0, 1)], 'whole', 0, 0);
    const start_ms = performance.now() - started;
    const singles = fixed.map((text) => [text]);
    const one = await time(singles, 'whole', 8);
    const batches = await time(slices(fixed, batch), 'whole', 2);
    const many = await time([fixed], 'whole', 0);
    const whole = work.corpus && (await time([work.corpus], 'whole', 1));
    // Up to here all ran as embed does. Padding, which it does not, takes more memory.
    const { peak_bytes } = await child.ask('facts');
    const corpus = whole && { whole, ...(await timeOthers(work, time)) };
    const { cpu_seconds } = await child.ask('facts');
    await child.ask('close');
    return { round, start_ms, one, batch: batches, many, ...(corpus && { corpus }), peak_bytes, cpu_seconds };
  } finally {
    await child.end();
  }
}

/** The corpus as others would run it. The first batches allocate, and are not timed. */
async function timeOthers({ corpus = [], batch }: Workload, time: Time): Promise<Pick<Record<Layout, Timed>, 'slices' | 'padded'>> {
  const timed = async (layout: Layout): Promise<Timed> => {
    await time([corpus.slice(0, batch)], layout, 0, 0);
    return time([corpus], layout, 0);
  };
  return { slices: await timed('slices'), padded: await timed('padded') };
}

/** Whole slices only: every batch is a full one. */
function slices(texts: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.floor(texts.length / size) }, (_, at) => texts.slice(at * size, (at + 1) * size));
}

/** A turn of the roof. */
export async function takeRoofTurn(threads: number, seconds: number, { script, signal }: TurnSettings): Promise<RoofTurn & ProcessFacts> {
  const child = startChild(script, signal);
  try {
    const roof = await child.ask('roof', { threads, seconds });
    return { ...roof, ...(await child.ask('facts')) };
  } finally {
    await child.end();
  }
}
