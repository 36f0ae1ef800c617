// A process of its own that measures on request, so that one variant's memory, threads and caches are not another's.
import { type ChildProcess, fork } from 'node:child_process';
import { EmbedkitError, type ErrorCode, FAILURES } from '../errors.js';
import type { Commands, Reply, Request } from './protocol.js';

export interface Child {
  /** Runs a command there. Rejects with the error it threw, or with `engine-failed` when the process ended. */
  ask<K extends keyof Commands>(command: K, ...asked: Parameters<Commands[K]>): ReturnType<Commands[K]>;
  /** Ends it; settles when it is gone. */
  end(): Promise<void>;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const END_PATIENCE_MS = 5000;
const LAST_WORDS = 2000;

/** Starts the script, which answers each Request with a Reply. `signal` ends the process at once; throws its reason where it is aborted already. */
export function startChild(script: URL, signal?: AbortSignal): Child {
  signal?.throwIfAborted();
  const child = fork(script, { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  const ended = whenEnded(child, waiting, signal);
  child.on('message', (reply: Reply) => {
    const one = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('error' in reply) one?.reject(revived(reply.error));
    else one?.resolve(reply.result);
  });
  return {
    ask: (command, ...asked) =>
      new Promise<unknown>((resolve, reject) => {
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        if (child.connected) child.send({ id, command, asked: asked[0] } satisfies Request);
        else reject(gone(undefined, undefined, ''));
      }) as never,
    end: async () => {
      if (child.connected) child.disconnect();
      const patience = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS);
      await ended;
      clearTimeout(patience);
    },
  };
}

function whenEnded(child: ChildProcess, waiting: Map<number, Waiting>, signal: AbortSignal | undefined): Promise<void> {
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS);
  });
  const abort = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', abort);
  return new Promise((resolve) => {
    const settle = (error: Error): void => {
      signal?.removeEventListener('abort', abort);
      for (const { reject } of waiting.values()) reject(signal?.aborted ? (signal.reason as Error) : error);
      waiting.clear();
      resolve();
    };
    child.on('error', (error) => settle(new EmbedkitError('engine-failed', `no process could be started: ${error.message}`)));
    // Not 'close', which does not come where the channel was closed from here.
    child.on('exit', (code, killed) => settle(gone(code, killed, words)));
  });
}

function gone(code: number | null | undefined, killed: string | null | undefined, words: string): EmbedkitError {
  const how = killed ? `was ended by ${killed}` : `ended by itself (code ${code ?? 'unknown'})`;
  const last = words.trim().split('\n').at(-1);
  const hint = killed === 'SIGKILL' ? 'memory may have been short: use fewer --threads' : 'run again, and report it if it stays so';
  return new EmbedkitError('engine-failed', `a measuring process ${how}${last ? `: ${last}` : ''}`, { hint });
}

function revived({ code, message, hint }: { code: string; message: string; hint: string | undefined }): EmbedkitError {
  const known = (Object.hasOwn(FAILURES, code) ? code : 'internal') as ErrorCode;
  return new EmbedkitError(known, message, hint === undefined ? {} : { hint });
}
