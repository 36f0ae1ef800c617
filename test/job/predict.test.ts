// The dry run against the real one: the same rows, tokens and truncation; bad rows and duplicates counted; nothing written.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { EmbedkitError, type JobConfig, predictJob, runJob } from '#src/index.js';
import { temporaryFolder } from '../run.js';

const passages = readFileSync(new URL('../../examples/passages.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');
const SHORT = passages.filter((line) => line.length < 300).slice(0, 30);
const LONG = JSON.stringify({ id: 'long', text: 'far too many words '.repeat(200) });

function job(folder: string, input: readonly string[], changes: Partial<JobConfig> = {}): JobConfig {
  writeFileSync(join(folder, 'in.jsonl'), `${input.join('\n')}\n`);
  return { input: { paths: [join(folder, 'in.jsonl')] }, output: { path: join(folder, 'out.parquet') }, model: { threads: 1 }, ...changes };
}

describe('predictJob', () => {
  it('predicts what the run then meets', async () => {
    const folder = temporaryFolder();
    const config = job(folder, [...SHORT, LONG, SHORT[0] as string]);
    const predicted = await predictJob(config);
    expect(readdirSync(folder)).toEqual(['in.jsonl']);
    const { rows, tokens, truncatedTexts, lostTokens, duplicateIds, outputBytes } = await runJob(config);
    expect(predicted).toMatchObject({ rows, tokens, truncatedTexts, lostTokens, duplicateIds, badRows: 0, badRowExamples: [] });
    expect(predicted).toMatchObject({ rows: 32, truncatedTexts: 1, duplicateIds: 1, duplicateTexts: 1, sampledTokens: tokens });
    expect(lostTokens).toBeGreaterThan(200);
    expect(predicted.outputBytes).toBeGreaterThan(outputBytes * 0.75);
    expect(predicted.outputBytes).toBeLessThan(outputBytes * 1.25);
    expect(predicted.memoryBytes).toBeGreaterThan(100 * 2 ** 20);
    expect(predicted.seconds).toBeGreaterThan(tokens / predicted.tokensPerSecond);
  });

  it('counts bad rows and shows the first few, the first of which ends a run that is to fail', async () => {
    const folder = temporaryFolder();
    const bad = ['{"id": 1}', 'no JSON', '{"text": ""}', '{"text": 5}', '{"text": null}', '{"text": []}', '[]'];
    const config = job(folder, [...SHORT.slice(0, 3), ...bad, ...SHORT.slice(3, 5)]);
    const predicted = await predictJob(config);
    expect(predicted).toMatchObject({ rows: 5, badRows: 7 });
    expect(predicted.badRowExamples.map((sentence) => /line (\d+): /.exec(sentence)?.[1])).toEqual(['4', '5', '6', '7', '8']);
    await expect(runJob({ ...config, onError: 'fail' })).rejects.toMatchObject({ code: 'bad-row', sentence: predicted.badRowExamples[0] });
  });

  it('keeps to the limit, and can predict nothing at all', async () => {
    const folder = temporaryFolder();
    const config = job(folder, SHORT);
    const limited = await predictJob({ ...config, input: { ...config.input, limit: 7 } });
    const empty = await predictJob({ ...config, input: { ...config.input, limit: 0 } });
    expect([limited.rows, empty.rows, empty.tokens, empty.outputBytes]).toEqual([7, 0, 0, 0]);
    expect(Number.isFinite(empty.seconds)).toBe(true);
  });

  it('ends when told to, also while its input says nothing more', async () => {
    const stdin = new PassThrough();
    stdin.write(`${SHORT[0]}\n`);
    const controller = new AbortController();
    const reason = new EmbedkitError('interrupted', 'enough');
    const running = predictJob({ input: { paths: ['-'], stdin }, output: { path: 'out.parquet' }, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 100);
    await expect(running).rejects.toBe(reason);
    expect(stdin.destroyed).toBe(true);
  });
});
