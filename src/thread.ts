// A worker thread that is asked one thing at a time, and its other side. What ends the thread is an error for whoever asks.
import { parentPort, Worker } from 'node:worker_threads';
import { messageOf } from './errors.js';

export interface Thread<Request, Answer> {
  /** To be called when the call before has settled. What of `transfer` is gone here then. Rejects where the thread refuses, fails or ends. */
  ask(request: Request, transfer?: readonly ArrayBuffer[]): Promise<Answer>;
  end(): Promise<void>;
}

export interface ThreadOptions {
  /** What the script finds as workerData. */
  readonly data?: unknown;
  /** What to say where the script throws, or its library panics. */
  readonly failed: (error: unknown) => string;
  /** What to say where the thread has ended. */
  readonly stopped: string;
}

type Reply<Answer> = { readonly answer: Answer } | { readonly refusal: string };

/** Runs a script that calls `answerRequests`; whoever starts it ends it. */
export function startThread<Request, Answer>(script: URL, { data, failed, stopped }: ThreadOptions): Thread<Request, Answer> {
  const worker = new Worker(script, { workerData: data, stdout: true, stderr: true, execArgv: [] });
  let failure: Error | undefined;
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  const fail = (message: string): void => {
    failure ??= new Error(message);
    waiting?.reject(failure);
  };
  worker.on('error', (error) => fail(failed(error)));
  worker.on('exit', () => fail(stopped));
  worker.on('message', (reply: Reply<Answer>) => {
    if ('refusal' in reply) waiting?.reject(new Error(reply.refusal));
    else waiting?.resolve(reply.answer);
  });
  return {
    ask: (request, transfer = []) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        if (failure === undefined) worker.postMessage(request, transfer);
        else reject(failure);
      }),
    end: async () => void (await worker.terminate()),
  };
}

/** The script's side: answers each request, or refuses it with the message of what `answer` throws. `transfer` names memory that goes along. */
export function answerRequests<Request, Answer>(
  answer: (request: Request) => Promise<Answer>,
  transfer: (answer: Answer) => readonly ArrayBuffer[],
): void {
  parentPort?.on('message', async (request: Request) => {
    try {
      const found = await answer(request);
      parentPort?.postMessage({ answer: found } satisfies Reply<Answer>, transfer(found));
    } catch (error) {
      parentPort?.postMessage({ refusal: messageOf(error) } satisfies Reply<Answer>);
    }
  });
}
