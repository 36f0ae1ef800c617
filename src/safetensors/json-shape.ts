// How deep JSON text nests and how many keys its outermost object has, counted without building anything from it.

export interface JsonShape {
  /** Levels of objects and arrays; 0 for a bare value. */
  readonly depth: number;
  /** Keys of the outermost object, those that occur twice counted twice. */
  readonly keys: number;
}

const CODE = { quote: 0x22, backslash: 0x5c, colon: 0x3a } as const;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Reads UTF-8 bytes; of text that is no JSON the numbers mean nothing. */
export function jsonShape(bytes: Uint8Array): JsonShape {
  let depth = 0;
  let deepest = 0;
  let keys = 0;
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes[at] as number;
    if (code === CODE.quote) at = stringEnd(bytes, at);
    else if (OPENING.has(code)) deepest = Math.max(deepest, ++depth);
    else if (CLOSING.has(code)) depth--;
    else if (code === CODE.colon && depth === 1) keys++;
  }
  return { depth: deepest, keys };
}

/** Place of the quote that ends the string which starts at `start`, or the end of the text. */
function stringEnd(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== CODE.quote) at += bytes[at] === CODE.backslash ? 2 : 1;
  return at;
}
