// The data beside the checkout that CI has and users do not. Tests that need it skip, saying so, where it is absent.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';

const ROOT = fileURLToPath(new URL('../../shared/', import.meta.url));

export const hasShared = existsSync(`${ROOT}data`);

/** The path of something in the shared folder. */
export function sharedPath(inside: string): string {
  return ROOT + inside;
}

/** Like describe, for tests over shared data. With TEST_REQUIRE_SHARED=1 (CI) its absence is a failure, not a skip. */
export function describeShared(name: string, suite: () => void): void {
  const required = process.env.TEST_REQUIRE_SHARED === '1';
  if (hasShared || required) describe(name, suite);
  else describe.skip(`${name} (skipped: no ../shared folder here)`, suite);
}
