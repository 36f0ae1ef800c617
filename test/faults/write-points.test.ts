// Every write that a run makes fails once, in every way: the next run gives the bytes of an undisturbed one, and nothing is half written.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Disk } from '#src/columns/disk.js';
import { runJob } from '#src/job/run.js';
import { stubModel } from '../job/stub-model.js';
import { temporaryFolder } from '../run.js';
import { failingFrom, forgetfulDisk, watched } from './disks.js';

const OLD = 'the output of the night before';
const ROWS = 28;
const corpus = Array.from({ length: ROWS }, (_, row) => (row % 9 === 4 ? 'no JSON\n' : `{"id":${row},"text":"text number ${row}"}\n`)).join(
  '',
);

function scene(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'in.jsonl'), corpus);
  writeFileSync(join(folder, 'out.parquet'), OLD);
  return folder;
}

function run(folder: string, disk: Disk): Promise<unknown> {
  const config = { input: { paths: [join(folder, 'in.jsonl')] }, output: { path: join(folder, 'out.parquet') }, window: { rows: 10 } };
  return runJob(config, { ...stubModel(), disk });
}

const outputOf = (folder: string): Buffer => readFileSync(join(folder, 'out.parquet'));
const quarantineOf = (folder: string): string => readFileSync(join(folder, 'out.parquet.quarantine.jsonl'), 'utf8').replaceAll(folder, '');

/** An undisturbed run: its files, and how many operations it took. */
async function undisturbed(): Promise<{ output: Buffer; quarantine: string; operations: string[] }> {
  const folder = scene();
  const operations: string[] = [];
  await run(
    folder,
    watched((operation) => void operations.push(operation)),
  );
  expect(readdirSync(folder).sort()).toEqual(['in.jsonl', 'out.parquet', 'out.parquet.quarantine.jsonl']);
  return { output: outputOf(folder), quarantine: quarantineOf(folder), operations };
}

describe('a run whose writes fail', () => {
  it('(EIO, at every one) ends in an error, and the next run in the right files', async () => {
    const { output, quarantine, operations } = await undisturbed();
    expect(operations.length).toBeGreaterThan(50);
    for (let fatal = 1; fatal <= operations.length; fatal++) {
      const folder = scene();
      const error = await run(folder, failingFrom(fatal, 'EIO')).then(
        () => undefined,
        (thrown: { code: string }) => thrown.code,
      );
      const whole = [OLD, output.toString('latin1')];
      expect(whole).toContain(outputOf(folder).toString('latin1'));
      // Once the output is in place, an error in clearing up after it is none of the run.
      if (outputOf(folder).toString('latin1') === OLD) expect([fatal, error]).toEqual([fatal, 'output-unwritable']);
      await run(
        folder,
        watched(() => undefined),
      );
      expect([fatal, outputOf(folder).equals(output), quarantineOf(folder)]).toEqual([fatal, true, quarantine]);
      expect(readdirSync(folder).sort()).toEqual(['in.jsonl', 'out.parquet', 'out.parquet.quarantine.jsonl']);
    }
  });

  it('(power loss, at every one) keeps what it had promised', async () => {
    const { output, quarantine, operations } = await undisturbed();
    for (let fatal = 1; fatal <= operations.length; fatal++) {
      const folder = scene();
      const { disk, powerLoss } = forgetfulDisk(folder);
      await run(folder, failingFrom(fatal, 'EIO', disk)).catch(() => undefined);
      powerLoss();
      expect([OLD, output.toString('latin1')]).toContain(outputOf(folder).toString('latin1'));
      await run(
        folder,
        watched(() => undefined),
      );
      expect([fatal, outputOf(folder).equals(output), quarantineOf(folder)]).toEqual([fatal, true, quarantine]);
    }
  });

  it('(power loss after its end) has its output', async () => {
    const { output } = await undisturbed();
    const folder = scene();
    const { disk, powerLoss } = forgetfulDisk(folder);
    await run(folder, disk);
    powerLoss();
    expect(outputOf(folder).equals(output)).toBe(true);
  });

  it.each([
    ['without fsync of files', { sync: false, syncFolder: true }],
    ['without fsync of folders', { sync: true, syncFolder: false }],
  ])('(negative control: %s) would lose its output, and this test would see it', async (_, honours) => {
    const { output } = await undisturbed();
    const folder = scene();
    const { disk, powerLoss } = forgetfulDisk(folder, honours);
    await run(folder, disk);
    powerLoss();
    expect(outputOf(folder).equals(output)).toBe(false);
  });
});

describe('kill -9', () => {
  const SCRIPT = fileURLToPath(new URL('killed-run.mjs', import.meta.url));
  const POINTS = Number(process.env['TEST_KILLS'] ?? 8);
  const report = (folder: string): { operations: number; resumed: number; rows: number; quarantined: number } =>
    JSON.parse(execFileSync(process.execPath, [SCRIPT, folder, '0'], { encoding: 'utf8' }));

  it(`at ${POINTS} write points of a real process`, () => {
    const whole = scene();
    const { operations, rows, quarantined } = report(whole);
    expect(rows + quarantined).toBe(ROWS);
    let resumed = 0;
    for (let kill = 0; kill < POINTS; kill++) {
      const folder = scene();
      const point = 1 + Math.floor((kill * operations) / POINTS);
      expect(spawnSync(process.execPath, [SCRIPT, folder, String(point)]).signal).toBe('SIGKILL');
      expect([OLD, outputOf(whole).toString('latin1')]).toContain(outputOf(folder).toString('latin1'));
      const again = report(folder);
      resumed += again.resumed;
      expect([point, again.rows, outputOf(folder).equals(outputOf(whole)), quarantineOf(folder)]).toEqual([
        point,
        rows,
        true,
        quarantineOf(whole),
      ]);
      expect(readdirSync(folder).sort()).toEqual(readdirSync(whole).sort());
    }
    expect(resumed).toBeGreaterThan(0);
  });
});
