// A Vega-Lite specification becomes an inline SVG: no script, no reference to anything outside, the same bytes every time.
import type { TopLevelSpec } from 'vega-lite';
import { escapeHtml, type Markup, trusted } from './html.js';

export interface Drawing {
  /** Unique in the page: the ids within the SVG start with it. */
  readonly name: string;
  /** What the picture shows, for those who do not see it. */
  readonly alternative: string;
  readonly spec: TopLevelSpec;
}

/** Renders on no canvas and in no browser. The libraries are loaded here: they cost about a second that other commands need not pay. */
export async function renderSvg({ name, alternative, spec }: Drawing): Promise<Markup> {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  try {
    const [, attributes = '', inner = ''] = /^<svg([^>]*)>(.*)<\/svg>$/s.exec(await view.toSVG()) ?? [];
    const box = /viewBox="[^"]*"/.exec(attributes)?.[0] ?? '';
    const opening = `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeHtml(alternative)}" ${box}>`;
    return trusted(`${opening}${withStableIds(inner, name)}</svg>`);
  } finally {
    view.finalize();
  }
}

/** Vega numbers ids through the life of the process, and several SVGs share this page: they are numbered anew, a name to each SVG. */
function withStableIds(svg: string, name: string): string {
  const ids = [...new Set([...svg.matchAll(/\bid="([^"]+)"/g)].map((match) => match[1] as string))];
  const renamed = new Map(ids.map((id, at) => [id, `${name}-${at}`]));
  const named = (id: string): string => renamed.get(id) ?? id;
  return svg
    .replace(/\bid="([^"]+)"/g, (_, id: string) => `id="${named(id)}"`)
    .replace(/url\(#([^)]+)\)/g, (_, id: string) => `url(#${named(id)})`)
    .replace(/href="#([^"]+)"/g, (_, id: string) => `href="#${named(id)}"`);
}
