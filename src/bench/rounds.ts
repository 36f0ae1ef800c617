// Rounds: everything that is measured takes a turn in each, in another order each time, until the figures are known or time is up.
import { EmbedkitError } from '../errors.js';
import { type Baseline, type BaselineTurn, takeBaselineTurn } from './baseline.js';
import { perSecond } from './figures.js';
import { takeLoopbackTurn } from './loopback.js';
import { LIMITS } from './options.js';
import type { RoofTurn } from './protocol.js';
import { median, relativeWidth, summarise } from './statistics.js';
import type { Subject } from './subjects.js';
import { type Turn, type TurnSettings, takeRoofTurn, takeTurn, type Workload } from './turn.js';

export interface RoundsSettings extends TurnSettings {
  readonly subjects: readonly Subject[];
  readonly baseline: Baseline | undefined;
  readonly serveProgram?: URL | undefined;
  readonly work: Workload;
  readonly seconds: number;
  readonly within: number;
  readonly onTurn: (said: string, done: number) => void;
}

export interface Rounds {
  /** Turn r of subject s is turns[s][r]. */
  readonly turns: readonly Turn[][];
  readonly roof: RoofTurn[];
  readonly baseline: BaselineTurn[];
  baselineFailed: string | null;
  ended: 'narrow' | 'time' | 'rounds';
  /** CPU time of all measuring processes. */
  own_seconds: number;
}

/** A product of the roof is timed for this share of a turn's measurement: there are seven of them. */
const ROOF_SHARE = 0.3;

export async function runRounds(settings: RoundsSettings): Promise<Rounds> {
  const turns = settings.subjects.map((): Turn[] => []);
  const rounds: Rounds = { turns, roof: [], baseline: [], baselineFailed: null, ended: 'rounds', own_seconds: 0 };
  const started = performance.now();
  let longest = 0;
  for (let round = 0; round < LIMITS.mostRounds; round++) {
    const elapsed = (performance.now() - started) / 1000;
    if (isNarrow(rounds, settings.within)) return { ...rounds, ended: 'narrow' };
    if (round > 0 && elapsed + longest > settings.seconds) return { ...rounds, ended: 'time' };
    await runRound(settings, rounds, round, elapsed);
    longest = Math.max(longest, (performance.now() - started) / 1000 - elapsed);
  }
  return rounds;
}

async function runRound(settings: RoundsSettings, rounds: Rounds, round: number, elapsed: number): Promise<void> {
  const { subjects, work } = settings;
  const say = (what: string): void => settings.onTurn(`round ${round + 1}: ${what}`, Math.min(1, elapsed / settings.seconds));
  const steps = [
    ...subjects.map((subject, at) => async () => {
      say(subject.label);
      const turn = await takeTurn(subject, work, round, settings);
      const served = settings.serveProgram && (await takeLoopbackTurn(subject, work, settings.serveProgram, settings.signal));
      rounds.turns[at]?.push({ ...turn, ...(served && { served }) });
      rounds.own_seconds += turn.cpu_seconds;
    }),
    async () => {
      say('the roof');
      const { cpu_seconds, products, bandwidth } = await takeRoofTurn(work.threads, work.turnSeconds * ROOF_SHARE, settings);
      rounds.roof.push({ products, bandwidth });
      rounds.own_seconds += cpu_seconds;
    },
  ];
  for (let at = 0; at < steps.length; at++) await steps[(at + round) % steps.length]?.();
  if (settings.baseline === undefined || rounds.baselineFailed !== null) return;
  say('the API');
  await runBaseline(settings.baseline, settings, rounds, round);
}

/** An API that fails is left out from then on; what it did before stays. */
async function runBaseline(baseline: Baseline, { work, signal }: RoundsSettings, rounds: Rounds, round: number): Promise<void> {
  try {
    rounds.baseline.push(await takeBaselineTurn(baseline, work, round, signal));
  } catch (error) {
    if (!(error instanceof EmbedkitError) || error.code !== 'engine-failed') throw error;
    rounds.baselineFailed = `failed in round ${round + 1}: ${error.message}`;
  }
}

/** Whether speed and latencies of every variant are known well enough. */
function isNarrow({ turns }: Rounds, within: number): boolean {
  return turns.every((own) => {
    if (own.length < LIMITS.leastRounds) return false;
    const measured = [
      own.map(({ many }) => perSecond(many, 'texts')),
      own.map(({ one }) => median(one.milliseconds)),
      own.map(({ batch }) => median(batch.milliseconds)),
    ];
    return measured.every((values) => relativeWidth(summarise(values)) <= within);
  });
}
