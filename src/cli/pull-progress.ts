// What a person or a log sees of a pull, on stderr: a bar on a terminal, lines elsewhere, JSON lines if asked.
import { SingleBar } from 'cli-progress';
import { mebibytes, printable } from '../format.js';
import type { PullProgress } from '../hub/pull.js';
import type { ReportOptions } from './report.js';

export interface PullView {
  readonly progress: (progress: PullProgress) => void;
  readonly say: (event: string, text: string, fields?: object) => void;
  readonly close: () => void;
}

const FORMAT = '{bar} {percentage}% | {done} of {size} | {speed}/s | {file}';
const BAR_EVERY_MS = 250;

export function pullView({ quiet, format, stream }: ReportOptions): PullView {
  const say: PullView['say'] = (event, text, fields = {}) => {
    if (!quiet) stream.write(`${format === 'json' ? JSON.stringify({ event, ...fields }) : printable(text)}\n`);
  };
  if (quiet || format === 'json' || !stream.isTTY) return { progress: () => undefined, say, close: () => undefined };
  return barView(stream, say);
}

function barView(stream: NodeJS.WriteStream, say: PullView['say']): PullView {
  const bar = new SingleBar({ format: FORMAT, stream, hideCursor: true, clearOnComplete: true, barsize: 24 });
  let first: { readonly at: number; readonly bytes: number } | undefined;
  let last = 0;
  const close = (): void => {
    if (first !== undefined) bar.stop();
    first = undefined;
  };
  const progress = ({ file, bytes, total }: PullProgress): void => {
    const now = performance.now();
    if (first !== undefined && now - last < BAR_EVERY_MS) return;
    last = now;
    if (first === undefined) bar.start(total, bytes, { done: '', size: '', speed: '', file: '' });
    first ??= { at: now, bytes };
    const speed = ((bytes - first.bytes) * 1000) / Math.max(now - first.at, 1);
    bar.update(bytes, { done: mebibytes(bytes), size: mebibytes(total), speed: mebibytes(speed), file: printable(file) });
  };
  return {
    progress,
    // A line in the middle of the bar would be written over.
    say: (event, text, fields) => {
      close();
      say(event, text, fields);
    },
    close,
  };
}
