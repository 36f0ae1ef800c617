// What a pull shows: a bar on a terminal alone, lines elsewhere.
import { expect, it } from 'vitest';
import { type PullView, pullView } from '#src/cli/pull-progress.js';
import type { LogFormat } from '#src/cli/report.js';

function viewOf(isTTY: boolean, format: LogFormat = 'text', quiet = false): { view: PullView; written: string[] } {
  const written: string[] = [];
  const stream = {
    isTTY,
    columns: 120,
    write: (text: string) => written.push(text),
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
  };
  return { view: pullView({ quiet, format, stream: stream as unknown as NodeJS.WriteStream }), written };
}

const PROGRESS = { file: 'model\u001b[2J.safetensors', bytes: 2 ** 20, total: 4 * 2 ** 20 };

it('shows a bar on a terminal, with the name of the file tamed', () => {
  const { view, written } = viewOf(true);
  view.progress(PROGRESS);
  view.close();
  expect(written.join('')).toMatch(/25% \| 1\.00 MiB of 4\.00 MiB \| .*\/s \| model\\u001b\[2J\.safetensors/);
});

it.each([
  [false, 'text'],
  [true, 'json'],
] as const)('shows none elsewhere (terminal %s, %s)', (isTTY, format) => {
  const { view, written } = viewOf(isTTY, format);
  view.progress(PROGRESS);
  view.close();
  expect(written).toEqual([]);
  view.say('notice', 'a\u0007b', { message: 'm' });
  expect(written).toEqual([format === 'json' ? '{"event":"notice","message":"m"}\n' : 'a\\u0007b\n']);
});

it('says nothing when quiet', () => {
  const { view, written } = viewOf(true, 'text', true);
  view.progress(PROGRESS);
  view.say('notice', 'x');
  expect(written).toEqual([]);
});
