// Which batch size, workers and threads a worker are fastest here, on a corpus like the user's; and whether that is more than chance.
import { startChild } from './child.js';
import { perSecond } from './figures.js';
import type { EngineShape } from './protocol.js';
import { median, ratioOf, type Spread } from './statistics.js';
import type { Subject } from './subjects.js';
import type { TurnSettings } from './turn.js';

export interface TuneSettings extends TurnSettings {
  readonly subject: Subject;
  readonly texts: readonly string[];
  /** CPUs to spend. */
  readonly threads: number;
  readonly defaultBatchTokens: number;
  readonly seconds: number;
  readonly turnSeconds: number;
  readonly onStep: (said: string, done: number) => void;
}

/** Settings of the engine, every one named. */
export interface Setting extends EngineShape {
  readonly threadsPerWorker: number;
  readonly batchTokens: number;
}

export interface Tried {
  readonly setting: Setting;
  /** Texts a second: a fresh process each. */
  readonly rates: number[];
  readonly peak_bytes: number[];
}

export interface Tuned {
  readonly default: Tried;
  /** Fastest first, the default among them. */
  readonly tried: readonly Tried[];
  readonly best: Tried;
  /** The best over the default, from the rounds of the final alone: those that chose it would flatter it. */
  readonly gain: Spread;
  readonly isBetter: boolean;
  readonly own_seconds: number;
}

const BATCH_TOKENS = [256, 512, 1024, 2048, 4096];
/** The share that goes on into each heat. */
const HEATS = [1, 0.34, 0.34];
const FINAL_ROUNDS = 8;
const LEAST_FINAL_ROUNDS = 4;

/** All ways to spend `threads` CPUs, each with every batch size: one worker a CPU first. */
export function settingsFor(threads: number): Setting[] {
  const shapes = Array.from({ length: threads }, (_, at) => at + 1)
    .filter((each) => threads % each === 0)
    .map((each) => ({ threads: threads / each, threadsPerWorker: each }));
  return shapes.flatMap((shape) => BATCH_TOKENS.map((batchTokens) => ({ ...shape, batchTokens })));
}

/** Heats among all settings, the slower ones left behind, then a final of the fastest against the default. */
export async function tune(settings: TuneSettings): Promise<Tuned> {
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const usual: Setting = { threads: settings.threads, threadsPerWorker: 1, batchTokens: settings.defaultBatchTokens };
  const tried = settingsFor(settings.threads).map((setting) => freshOf(setting));
  let own_seconds = 0;
  const run = async (one: Tried, said: string): Promise<void> => {
    settings.onStep(`${said}: ${flagsOf(one.setting)}`, Math.min(1, elapsed() / settings.seconds));
    own_seconds += await measure(one, settings);
  };
  let field = tried;
  for (const [heat, share] of HEATS.entries()) {
    field = fastest(field).slice(0, Math.max(2, Math.round(field.length * share)));
    // Two thirds of the time are for the heats.
    for (const one of field) if (heat === 0 || elapsed() < (settings.seconds * 2) / 3) await run(one, `heat ${heat + 1}`);
  }
  const chosen = fastest(field).find(({ setting }) => flagsOf(setting) !== flagsOf(usual))?.setting ?? usual;
  const [best, fallback] = [freshOf(chosen), freshOf(usual)];
  for (let round = 0; round < FINAL_ROUNDS && (round < LEAST_FINAL_ROUNDS || elapsed() < settings.seconds); round++) {
    for (const one of round % 2 === 0 ? [best, fallback] : [fallback, best]) await run(one, 'final');
  }
  const gain = ratioOf(best.rates, fallback.rates);
  return { default: fallback, best, tried: fastest(tried), gain, isBetter: gain.low > 1, own_seconds };
}

const freshOf = (setting: Setting): Tried => ({ setting, rates: [], peak_bytes: [] });

function fastest(field: readonly Tried[]): Tried[] {
  const speed = ({ rates }: Tried): number => (rates.length === 0 ? 0 : median(rates));
  return [...field].sort((a, b) => speed(b) - speed(a));
}

/** Adds one measurement; returns the CPU time that it took. */
async function measure(tried: Tried, { subject, texts, turnSeconds, script, signal }: TuneSettings): Promise<number> {
  const child = startChild(script, signal);
  try {
    await child.ask('open', { model: subject.spec, ...tried.setting });
    const timed = await child.ask('time', { calls: [texts], layout: 'whole', batch: 1, warm: 1, seconds: turnSeconds });
    const { peak_bytes, cpu_seconds } = await child.ask('facts');
    await child.ask('close');
    tried.rates.push(perSecond(timed, 'texts'));
    tried.peak_bytes.push(peak_bytes);
    return cpu_seconds;
  } finally {
    await child.end();
  }
}

/** As one types them after `embedkit embed`. */
export function flagsOf({ threads, threadsPerWorker, batchTokens }: Setting): string {
  return `--threads ${threads} --threads-per-worker ${threadsPerWorker} --batch-tokens ${batchTokens}`;
}
