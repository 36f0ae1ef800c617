// The quarantine beside an output, read back: how many rows, why, and which of them failed in the engine.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMisfit } from '../columns/kept-errors.js';
import { quarantinePath } from '../job/quarantine.js';
import { FOLDER_QUARANTINE } from '../job/target.js';
import type { Source } from '../records/source.js';
import { type JsonRow, jsonRows } from './jsonl-rows.js';

export interface QuarantinedRow {
  readonly file: string;
  /** "line 3" or "row 2". */
  readonly place: string;
  readonly id: string | null;
  readonly code: string;
  readonly message: string;
}

export interface QuarantineSummary {
  readonly path: string;
  readonly rows: number;
  /** Error code -> rows. */
  readonly codes: Readonly<Record<string, number>>;
  readonly first: readonly QuarantinedRow[];
}

const FIRST_ROWS = 3;

/** The quarantine of an output; undefined where there is none. Throws `input-unreadable` where it is damaged. */
export async function readQuarantine(output: string): Promise<QuarantineSummary | undefined> {
  const source = await quarantineOf(output);
  if (source === undefined) return undefined;
  const codes: Record<string, number> = {};
  const first: QuarantinedRow[] = [];
  let rows = 0;
  for await (const some of jsonRows(source)) {
    for (const { row } of some) {
      const found = quarantined(row);
      codes[found.code] = (codes[found.code] ?? 0) + 1;
      if (rows++ < FIRST_ROWS) first.push(found);
    }
  }
  return { path: source.name, rows, codes, first };
}

/** Codes of rows whose text was good and tokenized: reading the input again cannot tell that they are missing. */
const ENGINE_CODES = new Set(['engine-failed', 'vector-invalid']);
/** Most such rows that are remembered; each is an engine that failed twice. */
const MAX_ENGINE_ROWS = 1 << 16;

/** The rows that failed in the engine, by `engineKey`. */
export async function engineFailures(output: string): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  const source = await quarantineOf(output);
  if (source === undefined) return keys;
  for await (const some of jsonRows(source)) {
    for (const { row } of some) {
      const isEngine = ENGINE_CODES.has(String(row['code'])) || isMisfit(String(row['message']));
      if (isEngine && keys.size < MAX_ENGINE_ROWS) keys.add(engineKey(Number(row['line'] ?? row['row']), String(row['id'])));
    }
  }
  return keys;
}

/** A row by its number within its file and its id: the file may be named otherwise today. */
export function engineKey(number: number, id: string): string {
  return `${number} ${id}`;
}

function quarantined(row: JsonRow): QuarantinedRow {
  const unit = Object.hasOwn(row, 'line') ? 'line' : 'row';
  return {
    file: String(row['file']),
    place: `${unit} ${row[unit]}`,
    id: (row['id'] as string | null | undefined) ?? null,
    code: String(row['code']),
    message: String(row['message']),
  };
}

async function quarantineOf(output: string): Promise<Source | undefined> {
  const path = (await isFolder(output)) ? join(output, FOLDER_QUARANTINE) : quarantinePath(output);
  const info = await stat(path).catch(() => undefined);
  return info && { name: path, path, stream: undefined, compression: 'none', bytes: info.size };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}
