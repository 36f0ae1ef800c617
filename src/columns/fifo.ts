// A named pipe as output: opened and written without blocking, so that a signal ends a run whose reader does not come or stands still.
import { constants, open } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { systemCode } from '../errors.js';
import { type OutputSink, streamSink, unwritable } from './sinks.js';

const TRY_AGAIN_MS = 100;

export async function isFifo(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isFIFO(),
    () => false,
  );
}

/** Waits for a reader. Throws `output-unwritable`, and the reason of `signal`. */
export async function openFifo(path: string, signal: AbortSignal | undefined): Promise<OutputSink> {
  const socket = new Socket({ fd: await openForReader(path, signal), readable: false, writable: true });
  const sink = streamSink(socket, path);
  return {
    ...sink,
    get bytes() {
      return sink.bytes;
    },
    commit: async () => {
      socket.end();
      await finished(socket, { readable: false }).catch((error: unknown) => {
        throw unwritable(path, error);
      });
      await sink.commit();
    },
    abort: async () => {
      await sink.abort();
      socket.destroy();
    },
  };
}

/** Without a reader the system refuses to open a pipe that is not to block. */
async function openForReader(path: string, signal: AbortSignal | undefined): Promise<number> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await promisify(open)(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (systemCode(error) !== 'ENXIO') throw unwritable(path, error);
    }
    await setTimeout(TRY_AGAIN_MS);
  }
}
