// A measuring process that measures nothing: it answers at once with the times that a formula gives, so that rounds and tuning can be tested without a model.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Subject } from '#src/bench/subjects.js';
import { temporaryFolder } from '../run.js';

export interface Pretended {
  readonly script: URL;
  /** What was opened so far, in order; "roof" for a turn of the roof. */
  readonly log: () => string[];
}

/**
 * @param milliseconds an expression for the time of a call, over `name` (of the model), `asked` (what it was opened with), `texts` (of the call) and `count`
 *   (processes before)
 */
export function pretend(milliseconds: string): Pretended {
  const folder = temporaryFolder();
  const log = join(folder, 'log');
  writeFileSync(log, '');
  const lines = (): string[] => readFileSync(log, 'utf8').split('\n').filter(Boolean);
  writeFileSync(
    join(folder, 'script.mjs'),
    `import { appendFileSync, readFileSync } from 'node:fs';
    const count = readFileSync(${JSON.stringify(log)}, 'utf8').split('\\n').filter(Boolean).length;
    const note = (text) => appendFileSync(${JSON.stringify(log)}, text + '\\n');
    const product = (kind) => ({ kind, shape: [1, 1, 1], rate: 1e9 });
    let asked, name;
    const commands = {
      open(given) { asked = given; name = given.model.path; note(name); },
      time({ calls }) {
        const texts = calls[0].length;
        return { milliseconds: [${milliseconds}], texts: [texts], tokens: [50 * texts] };
      },
      roof() { note('roof'); return { products: [product('int8'), product('fp32')], bandwidth: 1e9 }; },
      facts: () => ({ peak_bytes: 1e8, cpu_seconds: 0.5 }),
      close() {},
    };
    process.on('message', ({ id, command, asked }) => process.send({ id, result: commands[command](asked) }));
    process.on('disconnect', () => process.exit());`,
  );
  return { script: pathToFileURL(join(folder, 'script.mjs')), log: lines };
}

/** A model by its name alone. */
export function subject(name: string): Subject {
  return { name, label: name, spec: { kind: 'folder', path: name, precision: undefined }, folder: {} as Subject['folder'], bytes: 1 };
}

/** Unused by the script, but part of every call. */
export const TEXTS = Array.from({ length: 8 }, (_, at) => `text ${at}`);
