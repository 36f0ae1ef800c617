// A model's operations counted and its time by operator, from a profiled run in a process of its own.
import type { EngineInput } from '../engine/contract.js';
import { createTokenizer } from '../tokens/tokenizer.js';
import { startChild } from './child.js';
import { byLength, type Operations, type OperationsByLength, type OperatorClasses, totalOf } from './operations.js';
import type { Subject } from './subjects.js';
import type { TurnSettings } from './turn.js';

export interface Census {
  /** Of one text. */
  readonly operations: OperationsByLength;
  readonly profile: { readonly rows: number; readonly width: number; readonly classes: OperatorClasses };
  /** CPU time that counting took. */
  readonly cpu_seconds: number;
}

/** Tokens in the profiled batch: as many as `embed` puts into one. */
const PROFILED_TOKENS = 1000;

export async function takeCensus({ folder }: Subject, text: string, tokens: number, settings: TurnSettings): Promise<Census> {
  const { manifest, modelPath, tokenizer } = folder;
  const ids = createTokenizer(tokenizer).encode(text, manifest.max_tokens).ids;
  const rows = Math.max(1, Math.round(PROFILED_TOKENS / tokens));
  const other = tokens * 2 <= manifest.max_tokens ? tokens * 2 : Math.max(1, tokens >> 1);
  const batch = (count: number, width: number): EngineInput => {
    return { rows: count, width, ids: Int32Array.from({ length: count * width }, (_, at) => ids[at % ids.length] as number) };
  };
  const child = startChild(settings.script, settings.signal);
  try {
    const batches = [batch(rows, tokens), batch(1, other)];
    const [classes = {}, longer = {}] = await child.ask('profile', { modelPath, output: manifest.architecture.output, batches });
    const operations = byLength({ width: tokens, ...aText(totalOf(classes), rows) }, { width: other, ...totalOf(longer) });
    const { cpu_seconds } = await child.ask('facts');
    return { operations, profile: { rows, width: tokens, classes }, cpu_seconds };
  } finally {
    await child.end();
  }
}

function aText({ int8, fp32, attention }: Operations, rows: number): Operations {
  return { int8: int8 / rows, fp32: fp32 / rows, attention: attention / rows };
}
