// `inspect`: what an output says of itself, and counts over its rows. Reads no vectors where the format allows.
import { DuplicateCounter } from '../job/duplicates.js';
import { openOutput } from './output.js';
import type { OutputFile } from './output-file.js';
import { type QuarantineSummary, readQuarantine } from './quarantine.js';

export interface Inspection {
  readonly file: string;
  readonly bytes: number;
  readonly format: OutputFile['format'];
  /** Null for JSONL, which has no place for it. */
  readonly provenance: OutputFile['provenance'] | null;
  readonly columns: OutputFile['columns'];
  readonly rows: number;
  readonly truncatedRows: number;
  /** Special tokens included. */
  readonly tokens: number;
  /** Rows whose content hash stood in an earlier row: equal texts. */
  readonly duplicateHashes: number;
  /** False where there were too many hashes to count all their duplicates. */
  readonly duplicateHashesIsExact: boolean;
  readonly quarantine: QuarantineSummary | null;
}

/** Surveys an output. Throws as `openOutput` does, and the reason of `signal`. */
export async function inspectOutput(path: string, signal?: AbortSignal): Promise<Inspection> {
  const { bytes, format, provenance = null, columns, batches } = await openOutput(path);
  const hashes = new DuplicateCounter();
  const counts = { rows: 0, truncatedRows: 0, tokens: 0 };
  for await (const { rows } of batches({ vectors: false })) {
    signal?.throwIfAborted();
    for (const { tokenCount, truncated, contentHash } of rows) {
      counts.rows++;
      counts.tokens += tokenCount;
      if (truncated) counts.truncatedRows++;
      hashes.add(contentHash);
    }
  }
  const duplicates = { duplicateHashes: hashes.duplicates, duplicateHashesIsExact: hashes.isExact };
  const quarantine = (await readQuarantine(path)) ?? null;
  return { file: path, bytes, format, provenance, columns, ...counts, ...duplicates, quarantine };
}
