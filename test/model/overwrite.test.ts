// --overwrite removes a folder and all in it: only ever a model folder, and never the one that is being read.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { tinyModel, writeTiny } from '../onnx/tiny.js';
import { temporaryFolder } from '../run.js';

const overwrite = { dtype: 'fp16', pooling: 'cls', overwrite: true } as const;

function sourceBeside(root: string): string {
  const source = writeTiny(join(root, 'in'), tinyModel());
  writeFileSync(join(source, 'notes.txt'), 'mine');
  return source;
}

it('refuses the folder that is read, one around it, and a link to it', async () => {
  const root = temporaryFolder();
  const source = sourceBeside(root);
  const link = join(temporaryFolder(), 'link');
  symlinkSync(source, link);
  for (const out of [source, root, link]) {
    await expect(exportModel(source, out, overwrite)).rejects.toThrow(/holds the model that is to be exported/);
  }
  expect(readFileSync(join(source, 'notes.txt'), 'utf8')).toBe('mine');
  expect(existsSync(join(source, 'model.onnx'))).toBe(true);
});

it('refuses a folder that is no model folder, and a file', async () => {
  const root = temporaryFolder();
  const source = sourceBeside(root);
  const home = join(root, 'home');
  mkdirSync(home);
  writeFileSync(join(home, 'letter.txt'), 'mine');
  for (const out of [home, join(home, 'letter.txt')])
    await expect(exportModel(source, out, overwrite)).rejects.toThrow(/is no model folder/);
  expect(readFileSync(join(home, 'letter.txt'), 'utf8')).toBe('mine');
});

it('replaces a model folder whole, and takes an empty one', async () => {
  const root = temporaryFolder();
  const source = sourceBeside(root);
  const out = join(root, 'out');
  mkdirSync(out);
  await exportModel(source, out, overwrite);
  writeFileSync(join(out, 'stale.bin'), '');
  await exportModel(source, out, overwrite);
  expect([existsSync(join(out, 'stale.bin')), existsSync(join(out, 'embedkit.json'))]).toEqual([false, true]);
});
