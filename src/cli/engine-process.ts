// The script of an engine process: token batches in, vectors out, one at a time, until the parent is gone.
import { openRunner, type Runner, type RunnerSettings } from '../embedder/runner.js';
import type { ProcessReply, ProcessRequest } from '../engine/process.js';
import { EmbedkitError, messageOf } from '../errors.js';

let runner: Runner | undefined;

function reply(message: ProcessReply): void {
  // The parent may have gone meanwhile: then nobody waits for this.
  process.send?.(message, undefined, undefined, () => undefined);
}

async function handle(request: ProcessRequest): Promise<void> {
  if (request.kind === 'close') process.exit(0);
  const job = request.kind === 'run' ? request.job : undefined;
  try {
    if (request.kind === 'start') {
      runner = await openRunner(request.settings as RunnerSettings);
      return reply({ kind: 'ready' });
    }
    if (runner === undefined) throw new EmbedkitError('engine-failed', 'a batch came before the model');
    const started = performance.now();
    const vectors = await runner.run(request.batch);
    reply({ kind: 'done', job: request.job, vectors, milliseconds: performance.now() - started });
  } catch (error) {
    const isModel = error instanceof EmbedkitError && error.code === 'model-unsupported';
    const message = error instanceof EmbedkitError ? error.sentence : messageOf(error);
    reply({ kind: 'failed', job: isModel ? undefined : job, message });
  }
}

let last = Promise.resolve();
process.on('message', (request: ProcessRequest) => {
  last = last.then(() => handle(request));
});
// Ctrl-C and service managers signal the whole group; the parent decides when its engines end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit(0));
