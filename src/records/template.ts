// "{title}\n{text}" -> literal and field parts. {{ and }} are braces, {name?} may be missing or null, \n and \t are escapes.
import { EmbedkitError } from '../errors.js';

export type TemplatePart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'field'; readonly path: string; readonly optional: boolean };

export type Template = readonly TemplatePart[];

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}|[{}]|\\n|\\t|\\\\/g;
const ESCAPES: Record<string, string> = { '{{': '{', '}}': '}', '\\n': '\n', '\\t': '\t', '\\\\': '\\' };

/** Parses a template. Throws `usage` for a lone brace, an empty field, or a template without fields. */
export function parseTemplate(source: string): Template {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of source.matchAll(TOKEN)) {
    parts.push(literal(source.slice(end, match.index)));
    parts.push(partOf(match[0], match[1], source));
    end = match.index + match[0].length;
  }
  parts.push(literal(source.slice(end)));
  const used = parts.filter((part) => part.kind === 'field' || part.text !== '');
  if (!used.some((part) => part.kind === 'field')) throw badTemplate(source, 'it names no field');
  return used;
}

function partOf(token: string, path: string | undefined, source: string): TemplatePart {
  const escaped = ESCAPES[token];
  if (escaped !== undefined) return literal(escaped);
  if (path === undefined) throw badTemplate(source, `"${token}" stands alone (write ${token}${token} for a brace)`);
  const optional = path.endsWith('?');
  const name = (optional ? path.slice(0, -1) : path).trim();
  if (name === '') throw badTemplate(source, 'a field has no name');
  return { kind: 'field', path: name, optional };
}

function literal(text: string): TemplatePart {
  return { kind: 'literal', text };
}

function badTemplate(source: string, why: string): EmbedkitError {
  return new EmbedkitError('usage', `--template "${source}": ${why}`, { hint: 'write it like "{title}\\n{text}"' });
}
