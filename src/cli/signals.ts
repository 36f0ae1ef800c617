// SIGINT and SIGTERM become an AbortSignal whose reason carries the exit code.
import { EmbedkitError } from '../errors.js';

const REASONS = { SIGINT: 'interrupted', SIGTERM: 'terminated' } as const;

export interface Signals {
  readonly signal: AbortSignal;
  /** Gives the signals back their usual effect. */
  release(): void;
}

/** How long a run may take to end in order. */
const PATIENCE_MS = 5_000;

/** The first signal asks the run to end; later ones wait with it for a while, then end the process as `kill -9` would. */
export function abortOnSignals(hint = 'nothing was put in place'): Signals {
  const controller = new AbortController();
  let asked = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    const code = REASONS[signal as keyof typeof REASONS];
    const error = new EmbedkitError(code, `${code} by ${signal}`, { hint });
    // To exit with an engine at work would abort the process: the runtime's threads are in it.
    if (controller.signal.aborted && performance.now() - asked > PATIENCE_MS) process.kill(process.pid, 'SIGKILL');
    if (controller.signal.aborted) return;
    asked = performance.now();
    controller.abort(error);
  };
  const names = Object.keys(REASONS) as NodeJS.Signals[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
