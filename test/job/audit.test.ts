// The audit of a run: which texts it takes, what it finds, and that it changes nothing else.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type JobConfig, type JobSummary, runJob } from '#src/index.js';
import { type AuditPlan, AuditSample, MOST_AUDITED } from '#src/job/audit.js';
import type { RunItem } from '#src/job/items.js';
import type { TextTokenizer } from '#src/tokens/tokenizer.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';
import { batchFailure, stubModel } from './stub-model.js';

const MODEL = fileURLToPath(new URL('../../models/bge-small-en-v1.5/', import.meta.url));
const line = (row: number): string => `{"id":"r${row}","text":"text number ${row}"}\n`;
const corpus = (rows: number): string => Array.from({ length: rows }, (_, row) => line(row)).join('');

/** Each text's unit vector; INT8 turns it by an angle that grows with its last id. */
function turned(ids: readonly number[], dim: number, isInt8: boolean): Float32Array {
  const angle = isInt8 ? (ids.at(-2) ?? 0) / 300_000 : 0;
  const vector = new Float32Array(dim);
  vector[(ids.at(-2) ?? 0) % (dim - 1)] = Math.cos(angle);
  vector[dim - 1] = Math.sin(angle);
  return vector;
}

interface Ran {
  readonly summary: JobSummary;
  readonly warnings: readonly string[];
  readonly bytes: Buffer;
  readonly path: string;
}

interface Given {
  readonly folder?: string;
  readonly rows?: number;
  readonly name?: string;
  readonly onFull?: () => void;
  /** How much further INT8 is off than usual. */
  readonly times?: number;
  readonly changes?: Partial<JobConfig>;
}

async function run(audit: number | undefined, given: Given = {}): Promise<Ran> {
  const { folder = temporaryFolder(), rows = 60, name = 'out.parquet', onFull, times = 1, changes = {} } = given;
  writeFileSync(join(folder, 'in.jsonl'), corpus(rows));
  const scaled = (ids: readonly number[]): number[] => ids.map((id) => id * times);
  const stubs = {
    int8: stubModel({ vectorOf: (ids, dim) => turned(scaled(ids), dim, true) }),
    fp32: stubModel({ vectorOf: (ids, dim) => turned(scaled(ids), dim, false), onBatch: () => onFull?.() }),
  };
  const warnings: string[] = [];
  const path = join(folder, name);
  const config: JobConfig = { input: { paths: [join(folder, 'in.jsonl')] }, output: { path }, window: { rows: 10 }, audit };
  const summary = await runJob(
    { ...config, ...changes, onWarning: (message) => void warnings.push(message) },
    { startModel: (model, options) => stubs[model.precision].startModel(model, options) },
  );
  return { summary, warnings, bytes: readFileSync(path), path };
}

const withoutTime = ({ summary: { audit } }: Ran): object => ({ ...audit, seconds: 0 });

describe('--audit', () => {
  it('of everything finds the mean and the least cosine, and whose that is', async () => {
    const { summary, warnings } = await run(1, { rows: 9 });
    const { audit } = summary;
    expect(audit).toMatchObject({ share: 1, texts: 9, least: expect.stringMatching(/^r\d$/) });
    expect(audit?.minimum).toBeLessThan(audit?.mean as number);
    expect(audit?.mean).toBeLessThan(1);
    expect(warnings).toEqual([]);
  });

  it('takes the same texts whatever windows and reuse, and changes no byte', async () => {
    const plain = await run(undefined);
    const audited = await run(0.5);
    expect(audited.summary.audit?.texts).toBeGreaterThan(15);
    expect(audited.summary.audit?.texts).toBeLessThan(45);
    const others = [
      await run(0.5, { changes: { window: { rows: 7, tokens: 40 } } }),
      await run(0.5, { changes: { reuse: [plain.path] } }),
      await run(0.5, { changes: { reuse: [audited.path], window: { rows: 1000 } } }),
    ];
    for (const other of others) {
      expect(other.bytes.equals(plain.bytes)).toBe(true);
      expect(withoutTime(other)).toEqual(withoutTime(audited));
    }
    expect(audited.bytes.equals(plain.bytes)).toBe(true);
  });

  it('covers what an interrupted run had done', async () => {
    const whole = await run(0.5);
    const folder = temporaryFolder();
    let windows = 0;
    const onWindow = async (): Promise<void> => {
      if (++windows === 3) throw new Error('pulled the plug');
    };
    await expect(run(0.5, { folder, changes: { onWindow } })).rejects.toThrow('pulled the plug');
    const resumed = await run(0.5, { folder });
    expect(resumed.summary.resumed).toBeGreaterThan(0);
    expect(withoutTime(resumed)).toEqual(withoutTime(whole));
    expect(resumed.bytes.equals(whole.bytes)).toBe(true);
  });

  it('is resumable while it audits', async () => {
    const folder = temporaryFolder();
    const stop = new AbortController();
    const onFull = (): void => stop.abort(new Error('stopped'));
    await expect(run(1, { folder, onFull, changes: { signal: stop.signal } })).rejects.toThrow('stopped');
    expect(existsSync(join(folder, 'out.parquet'))).toBe(false);
    expect((await run(1, { folder })).summary).toMatchObject({ resumed: 60, audit: { texts: 60 } });
  });

  it('holds the vectors as they stand in the output: float16, and into a stream', async () => {
    const half = await run(1, { changes: { output: { path: join(temporaryFolder(), 'h.parquet'), dtype: 'float16' } }, name: 'in.jsonl' });
    expect(half.summary.audit?.texts).toBe(60);
    const single = await run(1);
    expect(half.summary.audit?.mean).not.toBe(single.summary.audit?.mean);
    const stdout = new PassThrough().resume();
    const streamed = await run(1, { changes: { output: { path: '-', to: 'jsonl', stdout } }, name: 'in.jsonl' });
    expect(withoutTime(streamed)).toEqual(withoutTime(single));
  });

  it('warns where INT8 is further off than when the model was made', async () => {
    const { warnings } = await run(1, { rows: 30, times: 100 });
    expect(warnings).toEqual([expect.stringMatching(/^the calibration does not fit this corpus: .* quantize it on this corpus/)]);
  });

  it('says when it chose nothing, and when it could not be made; the output is there', async () => {
    const none = await run(1e-9, { rows: 3 });
    expect(none.warnings).toEqual([expect.stringMatching(/^--audit .* chose no text of this run/)]);
    expect(none.summary.audit).toMatchObject({ texts: 0, mean: null, minimum: null });
    const onFull = (): never => {
      throw batchFailure('no memory');
    };
    const failed = await run(1, { onFull });
    expect(failed.warnings).toEqual(['the audit failed, the vectors are not touched by that: no memory']);
    expect(failed.summary).toMatchObject({ rows: 60, audit: { texts: 0, mean: null } });
  });

  it.each([
    [0, {}, /^--audit 0%: not a share/],
    [1.5, {}, /^--audit 150%: not a share/],
    [0.1, { precision: 'fp32' }, /this run is in fp32$/],
  ] as const)('is refused: %d %j', async (share, model, message) => {
    await expect(run(share, { changes: { model } })).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
  });

  it('is refused where the model folder has no fp32', async () => {
    const folder = join(temporaryFolder(), 'lean');
    mkdirSync(folder);
    for (const name of ['embedkit.json', 'tokenizer.json', 'model.int8.onnx']) symlinkSync(join(MODEL, name), join(folder, name));
    const message = expect.stringMatching(/^--audit: .*lean holds no full-precision model\.fp16\.onnx$/);
    const refused = { code: 'usage', message, hint: expect.stringContaining('leave --audit out') };
    await expect(run(0.1, { changes: { model: { model: folder } } })).rejects.toMatchObject(refused);
  });

  it('has its engine counted by --max-memory', async () => {
    const bound = { maxMemory: 500 * 2 ** 20 };
    expect((await run(undefined, { changes: bound })).summary.rows).toBe(60);
    await expect(run(0.5, { changes: bound })).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('--max-memory') });
  });
});

describe('the sample', () => {
  const tokenizer = { encode: () => ({ ids: [1, 2], lost: 0 }) } as unknown as TextTokenizer;
  const hashOf = (text: number): string => createHash('sha256').update(String(text)).digest('hex').slice(0, 32);
  const itemOf = (text: number): RunItem => ({ id: String(text), contentHash: hashOf(text), fullText: '' }) as unknown as RunItem;

  async function seenOf(texts: readonly number[], share: number): Promise<string[]> {
    const sample = new AuditSample({ share } as AuditPlan, 8);
    async function* chunks(): AsyncGenerator<RunItem[]> {
      for (let at = 0; at < texts.length; at += 100) yield texts.slice(at, at + 100).map(itemOf);
    }
    const passed: string[] = [];
    for await (const items of sample.watch(chunks(), tokenizer)) passed.push(...items.map(({ id }) => id as string));
    expect(passed).toEqual(texts.map(String));
    for (const text of texts) sample.see(hashOf(text), () => new Float32Array(1));
    return sample.seen().map(({ id }) => id);
  }

  it('does not depend on order, and is the share with the least hashes where that is too many', async () => {
    const all = Array.from({ length: 4000 }, (_, text) => text);
    const key = (text: number): number => Number.parseInt(hashOf(text).slice(16, 28), 16) / 2 ** 48;
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.shuffledSubarray(all, { minLength: 3000 }),
        async (share, texts) => {
          const wanted = texts.filter((text) => key(text) < share).sort((a, b) => key(a) - key(b));
          const expected = wanted.slice(0, MOST_AUDITED).map(String).sort();
          expect((await seenOf(texts, share)).sort()).toEqual(expected);
        },
      ),
      { numRuns: 10 },
    );
  });
});
