// Whether a path leads to something.
import { stat } from 'node:fs/promises';

export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
