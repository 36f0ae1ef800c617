// The name of a model of the hub, as people write it: ORG/NAME, or ORG/NAME@revision.
import { EmbedkitError } from '../errors.js';

export interface HubName {
  /** ORG/NAME. */
  readonly id: string;
  /** A branch, a tag or a commit; undefined: the main branch. */
  readonly revision: string | undefined;
}

export const MAIN = 'main';
export const COMMIT = /^[0-9a-f]{40}$/;

const PART = '[A-Za-z0-9][A-Za-z0-9._-]{0,95}';
const NAME = new RegExp(`^(${PART}/${PART})(?:@(.+))?$`);
/** Parts of a branch or tag; they become a path in the cache. */
const REVISION = /^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9._+-]*(\/[A-Za-z0-9_][A-Za-z0-9._+-]*)*$/;

/** Undefined for what cannot be such a name, as a path is not. */
export function parseHubName(text: string): HubName | undefined {
  const [, id, revision] = NAME.exec(text) ?? [];
  // The cache writes the slash as "--".
  if (id === undefined || id.includes('..') || id.includes('--')) return undefined;
  if (revision !== undefined && !REVISION.test(revision)) return undefined;
  return { id, revision };
}

/** Throws `usage` for what is no such name. */
export function hubName(text: string): HubName {
  const name = parseHubName(text);
  if (name !== undefined) return name;
  throw new EmbedkitError('usage', `"${text}" is no name of a model on the hub`, {
    hint: 'write ORG/NAME or ORG/NAME@revision, like BAAI/bge-small-en-v1.5',
  });
}

export function written({ id, revision }: HubName): string {
  return revision === undefined ? id : `${id}@${revision}`;
}

/** The last part: what a folder for the model would be called. */
export function shortName({ id }: HubName): string {
  return id.slice(id.indexOf('/') + 1);
}
