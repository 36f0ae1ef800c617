// The stages of a quantization as they pass: a bar on a terminal, a line a stage elsewhere, JSON lines if asked.
import { SingleBar } from 'cli-progress';
import { duration } from '../format.js';
import type { QuantizeProgress, Stage } from '../quantize/options.js';
import type { ReportOptions } from './report.js';

const SAID: Readonly<Record<Stage, string>> = {
  read: 'reading calibration text',
  recognise: 'reading the model',
  observe: 'observing full precision',
  scale: 'choosing scales',
  evaluate: 'embedding in full precision',
  gate: 'holding INT8 against it',
  speed: 'measuring speed',
};

export interface StageView {
  readonly progress: (progress: QuantizeProgress) => void;
  readonly close: () => void;
}

export function stageView({ quiet, format, stream }: ReportOptions): StageView {
  if (quiet) return { progress: () => undefined, close: () => undefined };
  return stream.isTTY && format === 'text' ? barView(stream) : lineView(format, stream);
}

function lineView(format: ReportOptions['format'], stream: NodeJS.WriteStream): StageView {
  const started = performance.now();
  let last: Stage | undefined;
  return {
    progress: ({ stage }) => {
      if (stage === last) return;
      last = stage;
      const seconds = (performance.now() - started) / 1000;
      const text = `${duration(seconds).padStart(8)}  ${SAID[stage]}`;
      stream.write(`${format === 'json' ? JSON.stringify({ event: 'stage', stage, seconds }) : text}\n`);
    },
    close: () => undefined,
  };
}

function barView(stream: NodeJS.WriteStream): StageView {
  const bar = new SingleBar({ format: '{bar} {percentage}% | {said}', stream, hideCursor: true, clearOnComplete: true, barsize: 24 });
  let running = true;
  bar.start(100, 0, { said: '' });
  return {
    progress: ({ stage, done }) => {
      if (running) bar.update(Math.round(done * 100), { said: SAID[stage] });
    },
    close: () => {
      if (running) bar.stop();
      running = false;
    },
  };
}
