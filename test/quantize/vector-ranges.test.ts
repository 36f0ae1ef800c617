// `ranges`: what it records in a model's manifest, that nothing else of it changes, and that embed --dtype int8 then has what it needs.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { VectorRanges } from '#src/model/manifest.js';
import { runCli, temporaryFolder } from '../run.js';

const MODEL = fileURLToPath(new URL('../../models/bge-small-en-v1.5/', import.meta.url));
const SHIPPED = readFileSync(join(MODEL, 'embedkit.json'), 'utf8');
const CALIBRATION = readFileSync(new URL('../../calibration/default.txt', import.meta.url), 'utf8').split('\n');

type Manifest = Record<string, unknown> & { vector_ranges: VectorRanges[] };

/** The shipped model, with another manifest. */
function modelWith(manifest: string): string {
  const folder = temporaryFolder();
  for (const name of ['tokenizer.json', 'model.int8.onnx']) symlinkSync(join(MODEL, name), join(folder, name));
  writeFileSync(join(folder, 'embedkit.json'), manifest);
  return folder;
}

const readManifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'embedkit.json'), 'utf8'));

describe('ranges', () => {
  it('lets a model without any have int8 vectors, by the texts it was given', async () => {
    const { vector_ranges: shipped, ...rest } = JSON.parse(SHIPPED) as Manifest;
    const folder = modelWith(JSON.stringify({ ...rest, of_a_later_version: [1, 2] }));
    const input = join(folder, 'in.txt');
    writeFileSync(input, CALIBRATION.slice(0, 40).join('\n'));
    const embed = ['embed', input, '-o', join(folder, 'out.jsonl'), '--dtype', 'int8', '--model', folder, '--quiet'];
    const refused = await runCli(embed);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`make them: embedkit ranges ${folder}`)]);

    const made = await runCli(['ranges', folder, '--calib', input]);
    expect([made.code, made.stderr]).toEqual([0, `${folder}: ranges of 40 texts recorded, for vectors of 384 values\n`]);
    const { vector_ranges: found, ...others } = readManifest(folder);
    expect(others).toEqual({ ...rest, of_a_later_version: [1, 2] });
    expect(found).toHaveLength(1);
    const [all, some] = [shipped[0] as VectorRanges, found[0] as VectorRanges];
    expect([some.texts, some.minimum.length, some.calibration_digest]).toEqual([40, 384, expect.stringMatching(/^[0-9a-f]{64}$/)]);
    // The shipped ranges are of all texts of the calibration, these of some: never wider, but for what another CPU rounds.
    for (const [at, least] of some.minimum.entries()) {
      expect(least).toBeGreaterThan((all.minimum[at] as number) - 0.02);
      expect(some.maximum[at]).toBeLessThan((all.maximum[at] as number) + 0.02);
      expect(least).toBeLessThan(some.maximum[at] as number);
    }

    expect((await runCli(embed)).code).toBe(0);
    const codes = readFileSync(join(folder, 'out.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).embedding as number[]);
    // Each end of each range is the value of one of the texts.
    for (let at = 0; at < 384; at++) {
      const column = codes.map((code) => code[at] as number);
      expect([Math.min(...column), Math.max(...column)]).toEqual([-128, 127]);
    }
  }, 60_000);

  it('of the shipped model stand in its manifest on lines of their own, and leave the rest of it as it was written', () => {
    const { vector_ranges: ranges } = JSON.parse(SHIPPED) as Manifest;
    expect(ranges).toMatchObject([{ texts: CALIBRATION.filter((line) => line.trim() !== '').length }]);
    expect(SHIPPED.split('\n').filter((line) => /^ {6}"(minimum|maximum)": \[/.test(line))).toHaveLength(2);
  });

  it('that cannot be written end in one sentence', async () => {
    const folder = modelWith(SHIPPED);
    mkdirSync(join(folder, 'embedkit.json.tmp'));
    writeFileSync(join(folder, 'few.txt'), 'a text\nanother\n');
    const { code, stderr } = await runCli(['ranges', folder, '--calib', join(folder, 'few.txt')]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/embedkit\.json: the ranges cannot be written.*; check permissions, or copy the model/),
    ]);
    expect(readFileSync(join(folder, 'embedkit.json'), 'utf8')).toBe(SHIPPED);
    rmSync(join(folder, 'embedkit.json.tmp'), { recursive: true });
  }, 60_000);

  it('that are no ranges make a manifest invalid', async () => {
    const manifest = JSON.parse(SHIPPED) as Manifest;
    const [ranges] = manifest.vector_ranges as [VectorRanges];
    const turned = { ...ranges, minimum: ranges.maximum, maximum: ranges.minimum };
    const folder = modelWith(JSON.stringify({ ...manifest, vector_ranges: [turned] }));
    const { code, stderr } = await runCli(['embed', '-', '--from', 'txt', '-o', '-', '--model', folder], { stdin: 'a\n' });
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining('each minimum needs a maximum that is not below it')]);
    expect(code).not.toBe(0);
  });
});
