// Sites as a plot lays them out: one panel a kind, by layer within; and the figures drawn of each. Pure.
import { SITE_KINDS, type SiteKind } from '../encoder/sites.js';
import type { SiteReport } from './report.js';

export interface PlacedSite {
  readonly site: SiteReport;
  /** Layer; position where names say no layer. */
  readonly at: number;
}

export interface SiteGroup {
  readonly kind: SiteKind | 'other';
  readonly title: string;
  /** What `at` counts. */
  readonly axis: 'layer' | 'position in the graph';
  readonly sites: readonly PlacedSite[];
}

const TITLES: Readonly<Record<SiteGroup['kind'], string>> = {
  attention: 'attention: what query, key and value read',
  context: 'context: what the output of attention reads',
  up: 'up: what the first feed-forward product reads',
  down: 'down: what the second feed-forward product reads',
  other: 'matrix products in the order of the graph',
};

/** Groups that have sites, in the order of computation; names that are not like `layer3.down` come last, together. */
export function groupSites(sites: readonly SiteReport[]): SiteGroup[] {
  const kinds: SiteGroup['kind'][] = [...SITE_KINDS, 'other'];
  const placed = sites.map((site, position) => ({ site, position, ...placeOf(site.name) }));
  return kinds.flatMap((kind) => {
    const members = placed.filter((member) => member.kind === kind);
    if (members.length === 0) return [];
    const axis = kind === 'other' ? 'position in the graph' : 'layer';
    return [{ kind, title: TITLES[kind], axis, sites: members.map(({ site, layer, position }) => ({ site, at: layer ?? position })) }];
  });
}

function placeOf(name: string): { kind: SiteGroup['kind']; layer?: number } {
  const [, layer, word] = /^layer(\d{1,4})\.(\w+)$/.exec(name) ?? [];
  const kind = SITE_KINDS.find((known) => known === word);
  return kind === undefined ? { kind: 'other' } : { kind, layer: Number(layer) };
}

/** Percentiles of the largest magnitudes of a site's channels, by nearest rank; `top` is the 100th. */
export interface ChannelBands {
  readonly p5: number;
  readonly p50: number;
  readonly p95: number;
  readonly top: number;
}

export function channelBands({ minima, maxima }: Pick<SiteReport, 'minima' | 'maxima'>): ChannelBands {
  const magnitudes = maxima.map((value, at) => Math.max(value, -(minima[at] as number))).sort((a, b) => a - b);
  const rank = (percentage: number): number => magnitudes[Math.max(0, Math.ceil((magnitudes.length * percentage) / 100) - 1)] ?? Number.NaN;
  return { p5: rank(5), p50: rank(50), p95: rank(95), top: rank(100) };
}

/** Largest magnitude that the integers reach. */
export function reachOf({ low, high }: Pick<SiteReport, 'low' | 'high'>): number {
  return Math.max(-low, high);
}
