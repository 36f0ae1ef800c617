// The queue of texts by its properties: nothing lost, nothing padded, nobody starved.

import { describe, expect, it } from 'vitest';
import { type BatchBounds, type QueuedText, TextQueue } from '#src/serve/queue.js';
import { fc } from '../properties.js';

interface Text extends QueuedText {
  readonly name: number;
}

const BOUNDS: BatchBounds = { maxTokens: 64, maxRows: 8, maxWaitMs: 0 };
const ONE: BatchBounds = { ...BOUNDS, maxRows: 1 };

let names = 0;

function text(length: number, client: string, request: number): Text {
  return { ids: new Int32Array(length), client, request, arrived: 0, name: names++ };
}

const anyBounds = fc.record({
  maxTokens: fc.integer({ min: 1, max: 200 }),
  maxRows: fc.integer({ min: 1, max: 20 }),
  maxWaitMs: fc.constantFrom(0, 5),
});
const anyText = fc
  .record({ length: fc.integer({ min: 1, max: 80 }), client: fc.constantFrom('a', 'b', 'c'), request: fc.nat(9) })
  .map(({ length, client, request }) => text(length, client, request));

type Command = { readonly push: Text } | { readonly drop: number } | { readonly take: number };
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: anyText.map((push) => ({ push })) },
  { weight: 1, arbitrary: fc.nat().map((drop) => ({ drop })) },
  { weight: 2, arbitrary: fc.nat(20).map((take) => ({ take })) },
);

function checkBatch(batch: readonly Text[], bounds: BatchBounds): void {
  expect(new Set(batch.map(({ ids }) => ids.length)).size).toBeLessThanOrEqual(1);
  const tokens = batch.reduce((sum, { ids }) => sum + ids.length, 0);
  expect(batch.length <= 1 || tokens <= bounds.maxTokens).toBe(true);
  expect(batch.length).toBeLessThanOrEqual(bounds.maxRows);
}

describe('a queue', () => {
  it('gives each text once, in batches of one length within the bounds, and none that was dropped', () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 120 }), anyBounds, (commands, bounds) => {
        const queue = new TextQueue<Text>();
        const waiting = new Set<Text>();
        const takeOne = (now: number): number => {
          const batch = queue.take(bounds, now);
          checkBatch(batch, bounds);
          for (const one of batch) expect(waiting.delete(one)).toBe(true);
          return batch.length;
        };
        for (const command of commands) {
          if ('push' in command) {
            queue.push(command.push);
            waiting.add(command.push);
          } else if ('drop' in command) {
            const dropped = [...waiting][command.drop % Math.max(1, waiting.size)] ?? text(1, 'nobody', 0);
            queue.drop(dropped);
            queue.drop(dropped);
            waiting.delete(dropped);
          } else {
            const before = waiting.size;
            expect(takeOne(command.take) > 0).toBe(before > 0);
          }
          expect(queue.texts).toBe(waiting.size);
          expect(queue.tokens).toBe([...waiting].reduce((sum, { ids }) => sum + ids.length, 0));
        }
        while (takeOne(99) > 0);
        expect(waiting.size).toBe(0);
      }),
    );
  });

  it('fills a batch with all that has the length, up to its bounds', () => {
    const queue = new TextQueue<Text>();
    for (let i = 0; i < 11; i++) queue.push(text(10, 'a', i));
    expect([queue.take(BOUNDS, 0).length, queue.take(BOUNDS, 0).length, queue.take(BOUNDS, 0).length]).toEqual([6, 5, 0]);
  });

  it('shares engines evenly between clients that always have work, however many requests each makes', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(lengths, lengths, fc.integer({ min: 1, max: 60 }), (a, b, requestsOfB) => {
        const queue = new TextQueue<Text>();
        for (const length of a) queue.push(text(length, 'a', 0));
        for (const [i, length] of b.entries()) queue.push(text(length, 'b', 1 + (i % requestsOfB)));
        const had = { a: 0, b: 0 };
        const left = { a: a.length, b: b.length };
        while (left.a > 0 && left.b > 0) {
          for (const one of queue.take(BOUNDS, 0)) {
            had[one.client as 'a' | 'b'] += one.ids.length;
            left[one.client as 'a' | 'b']--;
          }
          // A batch and a text ahead at most, on either side.
          if (left.a > 0 && left.b > 0) expect(Math.abs(had.a - had.b)).toBeLessThanOrEqual(2 * BOUNDS.maxTokens);
        }
      }),
    );
  });

  it("lets a query through a flood at once, another client's or its own", () => {
    const cases = fc.record({
      served: fc.integer({ min: 0, max: 40 }),
      flood: fc.integer({ min: 1, max: 60 }),
      length: fc.integer({ min: 40, max: 64 }),
    });
    fc.assert(
      fc.property(cases, fc.constantFrom('other', 'flooder'), ({ served, flood, length }, asker) => {
        const queue = new TextQueue<Text>();
        for (let i = 0; i < flood + served; i++) queue.push(text(length, 'flooder', 1));
        for (let i = 0; i < served; i++) queue.take(BOUNDS, 0);
        const query = text(10, asker, 2);
        queue.push(query);
        expect(queue.take(BOUNDS, 0)).toContain(query);
      }),
    );
  });

  it('does not starve a long text while short ones keep coming, each as a request of its own', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.constantFrom('same', 'other'), (short, client) => {
        const queue = new TextQueue<Text>();
        const long = text(60, 'same', 0);
        queue.push(text(short, client, 1));
        queue.push(long);
        let tokens = 0;
        for (let request = 2; ; request++) {
          queue.push(text(short, client, request));
          if (queue.take(ONE, 0).includes(long)) break;
          tokens += short;
          // Its own tokens for each of the others that are ever in the queue beside it.
          expect(tokens).toBeLessThanOrEqual(3 * 60 + 20);
        }
      }),
    );
  });

  it('gives a client no more for going away and coming back at once', () => {
    const queue = new TextQueue<Text>();
    for (let i = 0; i < 100; i++) queue.push(text(60, 'steady', 0));
    const had = { greedy: 0, steady: 0 };
    let isWaiting = false;
    for (let i = 0; had.steady < 90 * 60; i++) {
      // One short text at a time, a new one as soon as the last was taken: it is never there while another is served.
      if (!isWaiting) queue.push(text(10, 'greedy', 100 + i));
      isWaiting = true;
      for (const { client, ids } of queue.take(ONE, 0)) {
        had[client as 'greedy' | 'steady'] += ids.length;
        if (client === 'greedy') isWaiting = false;
      }
    }
    expect(Math.abs(had.greedy - had.steady)).toBeLessThanOrEqual(180);
  });

  it('owes a newcomer nothing for the time before it came', () => {
    const queue = new TextQueue<Text>();
    const take = (): string | undefined => queue.take(ONE, 0)[0]?.client;
    for (let i = 0; i < 60; i++) queue.push(text(20, 'old', 0));
    for (let i = 0; i < 30; i++) take();
    for (let i = 0; i < 30; i++) queue.push(text(20, 'new', 1));
    const turns = Array.from({ length: 20 }, take);
    expect(turns.filter((client) => client === 'old').length).toBeGreaterThanOrEqual(9);
    expect(turns.filter((client) => client === 'new').length).toBeGreaterThanOrEqual(9);
  });

  it('passes a text over for a fuller batch of its client only until it has waited', () => {
    const bounds = { ...BOUNDS, maxWaitMs: 5 };
    const fill = (): [TextQueue<Text>, Text] => {
      const queue = new TextQueue<Text>();
      const lone = text(7, 'a', 0);
      queue.push(lone);
      for (let i = 1; i < 9; i++) queue.push(text(8, 'a', i));
      return [queue, lone];
    };
    const [young, first] = fill();
    expect(young.take(bounds, 4)).not.toContain(first);
    const [old, second] = fill();
    expect(old.take(bounds, 5)).toEqual([second]);
  });
});
