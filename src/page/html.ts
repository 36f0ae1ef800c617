// Markup in which everything that is put in is escaped unless it is markup itself. Knows no report.
import { printable } from '../format.js';

export interface Markup {
  readonly markup: string;
}

export type Content = Markup | string | number | readonly Markup[];

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

// Embeddings, overrides and isolates: they could turn figures that stand beside them around.
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/g;

/** Text as the content of an element or of a quoted attribute; controls are spelt out, half surrogate pairs replaced. */
export function escapeHtml(text: string): string {
  const visible = printable(text.toWellFormed()).replace(DIRECTION, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
  return visible.replace(/[&<>"']/g, (char) => ENTITIES[char] as string);
}

/** Tag of a template: what stands in `${}` is escaped, but for other markup. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return { markup: parts.map((part, at) => part + (at < contents.length ? written(contents[at] as Content) : '')).join('') };
}

/** Markup from a renderer that has escaped its texts itself. */
export function trusted(markup: string): Markup {
  return { markup };
}

function written(content: Content): string {
  if (typeof content === 'string' || typeof content === 'number') return escapeHtml(String(content));
  return 'markup' in content ? content.markup : content.map(({ markup }) => markup).join('\n');
}

export interface Column {
  readonly title: string;
  /** Numbers stand to the right; prose wraps, but is never squeezed to a word a line. */
  readonly kind: 'text' | 'number' | 'prose';
}

/** A table that scrolls sideways where it is wider than the page. */
export function table(columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const head = columns.map(({ title, kind }) => html`<th scope="col" class="${kind}">${title}</th>`);
  const cell = (content: Content, at: number): Markup => html`<td class="${columns[at]?.kind ?? 'text'}">${content}</td>`;
  const body = rows.map((row) => html`<tr>${row.map(cell)}</tr>`);
  return html`<div class="wide"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${body}
</tbody>
</table></div>`;
}

/** Name and value, one below the other. */
export function facts(pairs: readonly (readonly [string, Content])[]): Markup {
  return html`<dl>
${pairs.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
</dl>`;
}

/** A text of a stranger, kept from turning the writing direction of what stands around it. */
export function quoted(text: string): Markup {
  return html`<bdi>${text}</bdi>`;
}
