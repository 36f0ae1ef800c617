// The versions that decide the bytes of an output.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

function versionIn(path: string | URL): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

/** embedkit's own version. */
export const VERSION = versionIn(new URL('../package.json', import.meta.url));

/** The version of an installed dependency. */
export function dependencyVersion(name: string): string {
  const require = createRequire(import.meta.url);
  const inside = require.resolve(name);
  const root = inside.slice(0, inside.lastIndexOf(`node_modules/${name}/`));
  return versionIn(`${root}node_modules/${name}/package.json`);
}
