// One engine in a process of its own: a native crash takes that process, and nothing else, with it. Knows nothing of models.
import { type ChildProcess, fork } from 'node:child_process';
import { EmbedkitError } from '../errors.js';
import type { EngineInput } from './contract.js';

export type ProcessRequest =
  | { readonly kind: 'start'; readonly settings: unknown }
  | { readonly kind: 'run'; readonly job: number; readonly batch: EngineInput }
  | { readonly kind: 'close' };

export type ProcessReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly job: number; readonly vectors: Float32Array; readonly milliseconds: number }
  | { readonly kind: 'failed'; readonly job: number | undefined; readonly message: string };

export interface ProcessOptions {
  /** The module that the process runs: it answers each ProcessRequest but `close` with a ProcessReply. */
  readonly script: URL;
  /** Handed over with `start`; structured-cloneable. */
  readonly settings: unknown;
}

export interface EngineResult {
  /** rows x dim. */
  readonly vectors: Float32Array;
  /** Time that the engine itself took. */
  readonly milliseconds: number;
}

/** The process ended with the batch in its hands; the batch may or may not be the cause. */
export class EngineEnded extends EmbedkitError {}

interface Job {
  readonly resolve: (result: EngineResult) => void;
  readonly reject: (error: Error) => void;
}

export interface EngineProcess {
  readonly pid: number | undefined;
  /** Settles when the model is loaded, with `engine-failed` where it is not. */
  readonly ready: Promise<void>;
  /** Settles when the process is gone, however it went, with how: "signal SIGSEGV", "code 1". */
  readonly ended: Promise<string>;
  /** Batches are answered in their order. Rejects with `engine-failed` where this batch failed, with EngineEnded where the process did. */
  run(batch: EngineInput): Promise<EngineResult>;
  /** Ends it when its batches are done. */
  close(): Promise<unknown>;
  /** Ends it now. Safe: what the runtime does cannot take this process along. */
  kill(): void;
}

const HINT = 'look for the cause in the system log (memory?)';

/** Starts an engine process; it ends by itself when this one does. */
export function startProcess({ script, settings }: ProcessOptions): EngineProcess {
  const child = fork(script, [], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const jobs = new Map<number, Job>();
  let next = 0;
  const ended = endOf(child);
  const ready = readiness(child, ended, jobs);
  ended.then((how) => {
    for (const job of jobs.values()) job.reject(new EngineEnded('engine-failed', `an engine process ended (${how})`, { hint: HINT }));
    jobs.clear();
  });
  send(child, { kind: 'start', settings });
  return {
    pid: child.pid,
    ready,
    ended,
    run: (batch) =>
      new Promise((resolve, reject) => {
        const job = next++;
        jobs.set(job, { resolve, reject });
        send(child, { kind: 'run', job, batch });
      }),
    close: () => {
      send(child, { kind: 'close' });
      return ended;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** A message to a process that has gone is lost; `ended` tells of that. */
function send(child: ChildProcess, request: ProcessRequest): void {
  if (child.connected) child.send(request, () => undefined);
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `code ${code}` : `signal ${signal}`));
  });
}

/** Listens to the process; the promise is kept or broken by its first words. */
function readiness(child: ChildProcess, ended: Promise<string>, jobs: Map<number, Job>): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    const fail = (message: string): void => reject(new EmbedkitError('engine-failed', message, { hint: HINT }));
    ended.then((how) => fail(`an engine process ended before it was ready (${how})`));
    child.on('message', (reply: ProcessReply) => {
      if (reply.kind === 'ready') return resolve();
      if (reply.kind === 'failed' && reply.job === undefined) {
        // A model that cannot be loaded, or is not what its manifest says, will not be the next time either.
        fail(reply.message);
        return void child.kill('SIGKILL');
      }
      const job = jobs.get(reply.job as number);
      jobs.delete(reply.job as number);
      if (reply.kind === 'done') job?.resolve({ vectors: reply.vectors, milliseconds: reply.milliseconds });
      else job?.reject(new EmbedkitError('engine-failed', reply.message, { hint: HINT }));
    });
  });
  ready.catch(() => undefined);
  return ready;
}
