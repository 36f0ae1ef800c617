// A finished model folder's manifest gets something new; what this version does not know of stays as it is.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { wrapError } from '../errors.js';
import { MANIFEST_NAME } from './names.js';

/** Rewrites the manifest of a folder. `what` is what cannot be written, for the message. Throws `output-unwritable`. */
export async function amendManifest<Known>(
  folder: string,
  { what, hint }: { readonly what: string; readonly hint: string },
  change: (manifest: Known) => void,
): Promise<void> {
  const place = join(folder, MANIFEST_NAME);
  const manifest = JSON.parse(await readFile(place, 'utf8')) as Known;
  change(manifest);
  try {
    await writeFile(`${place}.tmp`, `${numbersOnOneLine(JSON.stringify(manifest, null, 2))}\n`);
    await rename(`${place}.tmp`, place);
  } catch (error) {
    throw wrapError(error, 'output-unwritable', `${place}: ${what} cannot be written`, hint);
  }
}

/** Lists of hundreds of numbers, a line each, would bury the rest. No string of JSON has a line feed in it. */
function numbersOnOneLine(json: string): string {
  return json.replace(/\[\n[-+.\deE,\s]+\]/g, (list) => list.replace(/\s+/g, '').replaceAll(',', ', '));
}
