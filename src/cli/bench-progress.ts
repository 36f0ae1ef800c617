// The course of a benchmark: a bar on a terminal, a line a step elsewhere.
import { SingleBar } from 'cli-progress';
import type { BenchProgress } from '../bench/options.js';
import { duration } from '../format.js';

export interface BenchView {
  readonly progress: (progress: BenchProgress) => void;
  readonly close: () => void;
}

export function benchView(stream: NodeJS.WriteStream, quiet: boolean): BenchView {
  if (quiet) return { progress: () => undefined, close: () => undefined };
  return stream.isTTY ? barView(stream) : lineView(stream);
}

function lineView(stream: NodeJS.WriteStream): BenchView {
  const started = performance.now();
  const progress = ({ said }: BenchProgress): void => {
    stream.write(`${duration((performance.now() - started) / 1000).padStart(8)}  ${said}\n`);
  };
  return { progress, close: () => undefined };
}

function barView(stream: NodeJS.WriteStream): BenchView {
  const format = '{bar} {percentage}% of the time it may take | {said}';
  const bar = new SingleBar({ format, stream, hideCursor: true, clearOnComplete: true, barsize: 24 });
  let running = true;
  bar.start(100, 0, { said: '' });
  return {
    progress: ({ said, done }) => {
      if (running) bar.update(Math.round(done * 100), { said });
    },
    close: () => {
      if (running) bar.stop();
      running = false;
    },
  };
}
