// Rounds over processes that only pretend to measure: who takes a turn when, and when it ends.
import { describe, expect, it } from 'vitest';
import { type RoundsSettings, runRounds } from '#src/bench/rounds.js';
import { pretend, subject, TEXTS } from './pretended.js';

function settings(milliseconds: string, change: Partial<RoundsSettings> = {}): RoundsSettings & { log: () => string[] } {
  const { script, log } = pretend(milliseconds);
  const work = { threads: 1, batch: 4, turnSeconds: 0.01, fixed: TEXTS, corpus: undefined };
  const subjects = [subject('a'), subject('b')];
  return {
    script,
    log,
    signal: undefined,
    subjects,
    baseline: undefined,
    work,
    seconds: 60,
    within: 0.02,
    onTurn: () => undefined,
    ...change,
  };
}

describe('runRounds', () => {
  it('gives each a turn in every round, in a new process and in another order, and ends when all is known', async () => {
    const asked = settings('texts', { seconds: 600 });
    const rounds = await runRounds(asked);
    expect(rounds.ended).toBe('narrow');
    const six = [0, 1, 2, 3, 4, 5];
    expect(rounds.turns.map((turns) => turns.map(({ round }) => round))).toEqual([six, six]);
    expect(rounds.roof).toHaveLength(6);
    expect(asked.log().join(' ')).toBe('a b roof b roof a roof a b a b roof b roof a roof a b');
    expect(rounds.own_seconds).toBe(9);
    expect(rounds.turns[0]?.[0]).toMatchObject({ peak_bytes: 1e8, one: { texts: [1] }, batch: { texts: [4] }, many: { texts: [8] } });
  });

  it('goes on where one of them is not known yet, until time is up', async () => {
    const rounds = await runRounds(settings(`name === 'a' ? texts : texts * (1 + (count % 5))`, { seconds: 4 }));
    expect(rounds.ended).toBe('time');
    expect(rounds.turns[1]?.length).toBeGreaterThanOrEqual(1);
  });

  it('runs one round, however little time there is', async () => {
    const rounds = await runRounds(settings('texts', { seconds: 1e-6 }));
    expect([rounds.ended, rounds.turns[0]?.length]).toEqual(['time', 1]);
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    const onTurn = (said: string): void => {
      if (said.startsWith('round 2')) controller.abort(new Error('stopped'));
    };
    await expect(runRounds(settings('texts', { signal: controller.signal, onTurn }))).rejects.toThrow('stopped');
  });
});
