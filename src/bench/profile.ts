// Where a model's time goes, node by node, from a profiled session of its own; runs in the measuring process.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openProfiled } from '../engine/ort.js';
import { classesOf, type NodeEvent, type OperatorClasses } from './operations.js';
import type { ProfileArguments } from './protocol.js';

export const PROFILED_PASSES = 8;

/** Runs each batch in one thread; milliseconds and operations are of one pass. Entry i is of batch i. */
export async function profileModel({ modelPath, output, batches }: ProfileArguments): Promise<OperatorClasses[]> {
  const folder = await mkdtemp(join(tmpdir(), 'embedkit-profile-'));
  try {
    const engine = await openProfiled(modelPath, { threads: 1, output }, join(folder, 'run'));
    for (const batch of batches) for (let pass = 0; pass <= PROFILED_PASSES; pass++) await engine.run(batch);
    engine.finishProfile();
    await engine.close();
    const [name = ''] = await readdir(folder);
    return summedByBatch(JSON.parse(await readFile(join(folder, name), 'utf8')), batches.length);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An entry of the runtime's profile, of those that are read here. */
interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: Omit<NodeEvent, 'duration'>;
}

function summedByBatch(events: readonly TraceEvent[], batches: number): OperatorClasses[] {
  const nodes = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'));
  // Every pass runs the same nodes.
  const aPass = nodes.length / (batches * (PROFILED_PASSES + 1));
  return Array.from({ length: batches }, (_, batch) => {
    const first = batch * (PROFILED_PASSES + 1) * aPass;
    // The first pass allocates, and is left out.
    const timed = nodes.slice(first + aPass, first + (PROFILED_PASSES + 1) * aPass);
    return classesOf(
      timed.map(({ args, dur }) => ({ ...args, duration: dur })),
      PROFILED_PASSES,
    );
  });
}
