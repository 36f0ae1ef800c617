// A small check that markup nests and is quoted as XML asks, for SVG; it knows elements, attributes, texts and entities, no more.

const TAG = /<(\/?)([a-zA-Z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/y;
const ENTITY = /&(?!(?:amp|lt|gt|quot|#39|#\d+|#x[\da-f]+);)/i;

/** What is wrong with it first; undefined: well-formed, with one root. */
export function markupFault(markup: string): string | undefined {
  const open: string[] = [];
  let at = 0;
  while (at < markup.length) {
    const next = markup.indexOf('<', at);
    const text = markup.slice(at, next === -1 ? undefined : next);
    if (text !== '' && open.length === 0) return `text outside the root at ${at}`;
    if (ENTITY.test(text) || text.includes('>')) return `bare character in ${text}`;
    if (next === -1) break;
    TAG.lastIndex = next;
    const [tag, closing, name = '', attributes = '', empty] = TAG.exec(markup) ?? [];
    if (tag === undefined) return `no tag at ${markup.slice(next, next + 60)}`;
    if (ENTITY.test(attributes)) return `bare & in ${tag}`;
    const names = [...attributes.matchAll(/([\w:-]+)="/g)].map((match) => match[1]);
    if (new Set(names).size < names.length) return `attribute twice in ${tag}`;
    if (closing === '/' && open.pop() !== name) return `${tag} closes nothing`;
    at = next + tag.length;
    if (closing === '' && empty === '') open.push(name);
    if (open.length === 0 && at < markup.length) return `something after the root at ${at}`;
  }
  return open.length === 0 ? undefined : `${open.at(-1)} is not closed`;
}
