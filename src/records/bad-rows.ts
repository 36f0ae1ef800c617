// What happens to a row that cannot become a record: the caller decides, here the row is only told apart from the file.
import { EmbedkitError } from '../errors.js';
import type { TextRecord } from './record.js';

/** Told of each bad row; a handler that throws ends the run, one that returns skips the row. */
export type OnBadRow = (error: EmbedkitError) => void;

export const failOnBadRow: OnBadRow = (error) => {
  throw error;
};

/** Turns rows into records; `toRecord` gives undefined for what is no row at all, such as a blank line. */
export function recordsOf<Row>(rows: readonly Row[], toRecord: (row: Row) => TextRecord | undefined, onBadRow: OnBadRow): TextRecord[] {
  const records: TextRecord[] = [];
  for (const row of rows) {
    try {
      const record = toRecord(row);
      if (record !== undefined) records.push(record);
    } catch (error) {
      if (!(error instanceof EmbedkitError && error.code === 'bad-row')) throw error;
      onBadRow(error);
    }
  }
  return records;
}
