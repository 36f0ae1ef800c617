// A long list of texts becomes the lists of several requests. Pure.

/** In order; none is longer than the limits, but for a single text that is. An empty list is one empty request. */
export function cutList(texts: readonly string[], maxTexts: number, maxCharacters: number): string[][] {
  const lists: string[][] = [[]];
  let characters = 0;
  for (const text of texts) {
    const last = lists.at(-1) as string[];
    if (last.length > 0 && (last.length >= maxTexts || characters + text.length > maxCharacters)) {
      lists.push([text]);
      characters = text.length;
    } else {
      last.push(text);
      characters += text.length;
    }
  }
  return lists;
}
