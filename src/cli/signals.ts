// SIGINT and SIGTERM become an AbortSignal whose reason carries the exit code.
import { EmbedkitError } from '../errors.js';

const REASONS = { SIGINT: 'interrupted', SIGTERM: 'terminated' } as const;

export interface Signals {
  readonly signal: AbortSignal;
  /** Gives the signals back their usual effect. */
  release(): void;
}

/** The first signal asks the run to end; a second one ends the process at once. */
export function abortOnSignals(): Signals {
  const controller = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    const code = REASONS[signal as keyof typeof REASONS];
    const error = new EmbedkitError(code, `${code} by ${signal}`, { hint: 'nothing was put in place' });
    if (controller.signal.aborted) process.exit(error.exitCode);
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
