// The commands of a measuring process, one at a time: it holds at most one open model.
import { type EmbeddingModel, openModel, startModel } from '../embedder/open.js';
import { EmbedkitError, messageOf } from '../errors.js';
import { ownSeconds, peakBytes } from './machine.js';
import type { Commands, OpenArguments, Reply, Request, TimeArguments } from './protocol.js';
import { timeCalls } from './timing.js';

/** A fresh set of commands. */
export function createCommands(): Commands {
  let model: EmbeddingModel | undefined;
  const opened = (): EmbeddingModel => {
    if (model === undefined) throw new EmbedkitError('internal', 'no model is open');
    return model;
  };
  return {
    open: async ({ model: spec, ...shape }: OpenArguments) => {
      if (spec.kind === 'folder') {
        model = await openModel(spec.path, { ...shape, precision: spec.precision });
        return;
      }
      model = startModel(spec.folder, shape);
      await model.pool.ready();
    },
    time: (asked: TimeArguments) => timeCalls(opened(), asked),
    profile: async (asked) => (await import('./profile.js')).profileModel(asked),
    roof: async (asked) => (await import('./roof.js')).measureRoof(asked),
    facts: async () => ({ peak_bytes: peakBytes(), cpu_seconds: ownSeconds() }),
    close: async () => {
      await model?.close();
      model = undefined;
    },
  };
}

/** Runs one request; never rejects. */
export async function answer(commands: Commands, { id, command, asked }: Request): Promise<Reply> {
  try {
    const run = commands[command] as (asked: unknown) => Promise<unknown>;
    return { id, result: await run(asked) };
  } catch (error) {
    if (!(error instanceof EmbedkitError)) return { id, error: { code: 'internal', message: messageOf(error), hint: undefined } };
    return { id, error: { code: error.code, message: error.message, hint: error.hint } };
  }
}
