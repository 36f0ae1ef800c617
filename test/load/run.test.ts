// The load against servers whose speed and faults are known. Bounds on times are one-sided: a busy machine is only ever slower.
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { drive } from '#src/load/drive.js';
import { createLatencies } from '#src/load/latencies.js';
import { settle } from '#src/load/options.js';
import { type LoadRun, runLoad } from '#src/load/run.js';
import { runStep, type Step, whyBehind } from '#src/load/step.js';
import { queueing } from './server.js';

const SHORT: Partial<LoadRun> = { seconds: 1, warmUpSeconds: 0.2 };
const total = (outcomes: Step['outcomes']): number => Object.values(outcomes).reduce((sum, value) => sum + value, 0);

describe('the open loop', () => {
  it('sends what is due while nothing is answered', async () => {
    let underWay = 0;
    let most = 0;
    const end = sleep(400);
    await drive(
      Float64Array.from({ length: 50 }, (_, at) => at),
      async () => {
        most = Math.max(most, ++underWay);
        await end;
      },
    );
    expect(most).toBe(50);
  });

  it('is never early, keeps the order, and owns up to being late', async () => {
    const seen: { at: number; due: number; sent: number }[] = [];
    const stall = async (departure: (typeof seen)[number]): Promise<void> => {
      seen.push(departure);
      const until = performance.now() + (departure.at === 3 ? 60 : 0);
      while (performance.now() < until);
    };
    await drive(Float64Array.from([0, 5, 10, 15, 20, 25, 30]), stall);
    expect(seen.map(({ at }) => at)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // A timer may fire up to a millisecond before its time.
    expect(seen.every(({ due, sent }) => sent >= due - 1)).toBe(true);
    expect((seen[4] as { sent: number }).sent - 20).toBeGreaterThan(50);
  });

  it('counts its own lateness into the latencies, and not into the service', async () => {
    const send = async (at: number) => {
      const until = performance.now() + (at === 0 ? 300 : 0);
      while (performance.now() < until);
      return { outcome: 'ok', tokens: 1 } as const;
    };
    const step = await runStep(50, { send, close: () => undefined }, settle({ url: 'http://h', seconds: 1, warmUpSeconds: 0 }));
    expect(step.latency_ms.p95).toBeGreaterThan(100);
    expect(step.lateness_ms.p95).toBeGreaterThan(100);
    expect(step.service_ms.p50).toBeLessThan(step.latency_ms.p95 as number);
  });

  it('ends when it is told to', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 30);
    await expect(drive(Float64Array.from([0, 60_000]), async () => undefined, controller.signal)).rejects.toThrow('enough');
  });
});

describe('a load', () => {
  it('measures from when requests were due: a queue shows, though each answer is quick once it is begun', async () => {
    // One lane of 20 ms does 50 a second; 100 a second for 1.2 s make the last one wait about 1.2 s.
    const server = await queueing({ serviceMs: 20, lanes: 1 });
    const { steps, knee, knee_is_bounded } = await runLoad({ url: server.url, rates: [5, 100, 200], ...SHORT });
    expect(steps.length).toBe(2);
    const [calm, flooded] = steps as [Step, Step];
    expect(calm.kept_up).toBe(true);
    expect(calm.latency_ms.p50).toBeGreaterThanOrEqual(19);
    expect(flooded.kept_up).toBe(false);
    expect(flooded.behind).toMatch(/^\d+ of \d+ answered in the time$/);
    expect(flooded.latency_ms.max).toBeGreaterThan(500);
    // It cannot do more than 50 a second, however slow the machine is.
    expect(flooded.good_per_second).toBeLessThanOrEqual(52);
    expect([knee, knee_is_bounded]).toEqual([5, true]);
  });

  it('counts what becomes of every request, and takes wrong vectors for no answers', async () => {
    const kinds = [undefined, 'reset', 'half', 'other', 'fewer', 429, 500, 'hang'] as const;
    // The first round of bodies is answered well: later answers are held against those.
    const server = await queueing({ serviceMs: 1, lanes: 50, odd: (at) => (at < 300 ? undefined : kinds[at % kinds.length]) });
    const { steps } = await runLoad({ url: server.url, rates: [150], seconds: 3, warmUpSeconds: 1.5, timeoutMs: 1000 });
    const [{ outcomes, kept_up, behind, offered_per_second, latency_ms }] = steps as [Step];
    expect(Object.keys(outcomes).sort()).toEqual(['different', 'hung', 'malformed', 'no-connection', 'ok', 'status-429', 'status-500']);
    expect(total(outcomes)).toBe(Math.round(offered_per_second * 3));
    expect([kept_up, latency_ms.count]).toEqual([false, outcomes['ok']]);
    expect(behind).toMatch(/\d+ different/);
  });

  it('finds the knee by itself and runs beyond it', async () => {
    const server = await queueing({ serviceMs: 100, lanes: 1, most: 3 });
    const seen: number[] = [];
    const onStep = ({ rate }: Step): void => void seen.push(rate);
    const { knee, beyond, steps } = await runLoad({ url: server.url, ...SHORT, beyond: [3], onStep });
    // Ten a second are what it can do; a second of random arrivals tells that only roughly.
    expect(knee).toBeLessThanOrEqual(20);
    expect(beyond).toMatchObject([{ times_knee: 3, rate: 3 * (knee as number) }]);
    expect(seen).toEqual([...steps, ...beyond].map(({ rate }) => rate));
    for (const { refusal_ms, outcomes } of beyond) expect([refusal_ms.count, refusal_ms.count > 0]).toEqual([outcomes['status-429'], true]);
  });

  it('sends the key, takes several texts a request, and keeps what the server says of itself', async () => {
    const server = await queueing({ serviceMs: 1, lanes: 9 });
    const options = { rates: [40], textsPerRequest: 3, apiKey: 'k', mix: 'tail', seconds: 1, warmUpSeconds: 0 } as const;
    const result = await runLoad({ url: `${server.url}/`, ...options });
    expect([...server.keys]).toEqual(['Bearer k']);
    expect(result).toMatchObject({ kind: 'embedkit-load', format: 1, server: { version: 'stand-in' } });
    expect(result.settings).toMatchObject({ mix: 'tail', textsPerRequest: 3 });
    expect(JSON.parse(JSON.stringify(result)).steps[0].tokens_per_second).toBeGreaterThan(0);
  });

  it('ends before it begins where nothing answers', async () => {
    const nobody = runLoad({ url: 'http://127.0.0.1:9', ...SHORT });
    await expect(nobody).rejects.toMatchObject({ code: 'server-unreachable', message: expect.stringMatching(/no-connection/) });
    const server = await queueing({ serviceMs: 1, lanes: 1, odd: () => 401 });
    await expect(runLoad({ url: server.url, ...SHORT })).rejects.toMatchObject({
      message: expect.stringMatching(/came back as status-401/),
    });
    expect(server.requests()).toBe(1);
  });
});

describe('figures', () => {
  it('are percentiles to three digits, told only by enough samples, and kept whole', () => {
    const latencies = createLatencies();
    expect(latencies.percentiles()).toEqual({ count: 0, mean: null, p50: null, p95: null, p99: null, p999: null, max: null });
    for (let ms = 1; ms <= 99; ms++) latencies.record(ms);
    expect(latencies.percentiles()).toMatchObject({ count: 99, p99: null, p999: null });
    for (let ms = 100; ms <= 1000; ms++) latencies.record(ms);
    const { count, mean, p50, p95, p99, p999, max } = latencies.percentiles();
    expect(count).toBe(1000);
    const exact = { mean: 500.5, p50: 500, p95: 950, p99: 990, p999: 999, max: 1000 };
    for (const [name, value] of Object.entries({ mean, p50, p95, p99, p999, max }))
      expect(Math.abs((value as number) / exact[name as keyof typeof exact] - 1)).toBeLessThan(0.0015);
    const read = decodeFromCompressedBase64(latencies.encoded());
    expect([read.totalCount, read.getValueAtPercentile(50) / 1000]).toEqual([1000, p50]);
  });

  it('bound what is beyond them', () => {
    const latencies = createLatencies();
    for (const ms of [-5, 0, 1e9]) latencies.record(ms);
    expect(latencies.percentiles().count).toBe(3);
    expect(latencies.percentiles().max).toBeGreaterThan(119_000);
  });

  const P99 = (p99: number | null) => ({ count: 100, mean: 1, p50: 1, p95: 1, p99, p999: null, max: 1 });
  it.each<[number, number, Record<string, number>, number | null, number | null, string]>([
    [100, 100, { ok: 100 }, 5, null, ''],
    [100, 92, { ok: 100 }, 5, null, ''],
    [100, 91, { ok: 100 }, 5, null, '91 of 100 answered in the time'],
    [3, 0, { ok: 3 }, null, null, ''],
    [100, 99, { ok: 99, hung: 1 }, 5, null, ''],
    [100, 98, { ok: 98, hung: 1, 'status-429': 1 }, 5, null, '1 hung, 1 status-429'],
    [100, 100, { ok: 100 }, 50, 40, 'P99 50 ms'],
    [100, 100, { ok: 100 }, 40, 40, ''],
    [100, 100, { ok: 100 }, null, 40, ''],
  ])('of %d due and %d in time, %j, P99 %j under %j: "%s"', (due, good, outcomes, p99, most, why) => {
    expect(whyBehind({ due, good }, outcomes, P99(p99), most)).toBe(why);
  });
});
