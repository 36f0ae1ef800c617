// Plots of the sites, one panel a kind: errors before and after pre-scaling, and channel ranges against what the integers cover. Specifications only.
import { COLOURS, type Decades, decadesOf, framed, type Layers, logAxis, stepAxis, within } from '../page/plot-frame.js';
import type { Drawing } from '../page/svg.js';
import type { SiteReport } from './report.js';
import { type ChannelBands, channelBands, groupSites, type PlacedSite, reachOf, type SiteGroup } from './site-groups.js';

export interface Panel extends Drawing {
  readonly title: string;
}

/** Relative squared error of each site's products. All panels share one scale. */
export function errorPanels(sites: readonly SiteReport[]): Panel[] {
  const decades = decadesOf(sites.flatMap(({ errorBefore, errorAfter }) => [errorBefore, errorAfter]));
  return groupSites(sites).map((group) => {
    const rows = group.sites
      .filter(({ site }) => isFinitePair(site.errorBefore, site.errorAfter))
      .map((placed) => errorRow(placed, decades));
    const spec = framed(rows, errorLayers(group, decades));
    return { name: `error-${group.kind}`, title: group.title, alternative: errorAlternative(group), spec };
  });
}

function errorRow({ site, at }: PlacedSite, decades: Decades) {
  return { at, before: within(decades, site.errorBefore), after: within(decades, site.errorAfter), precision: site.precision };
}

function errorLayers(group: SiteGroup, decades: Decades): Layers {
  const x = axisOf(group);
  const before = { field: 'before', ...logAxis(decades, 'squared error / energy') };
  const after = { ...before, field: 'after' };
  return [
    { mark: { type: 'rule', color: COLOURS.text, opacity: 0.4 }, encoding: { x, y: before, y2: { field: 'after' } } },
    { mark: { type: 'point', opacity: 1, color: COLOURS.before, size: 64, strokeWidth: 1.6 }, encoding: { x, y: before } },
    {
      transform: [{ filter: { field: 'precision', equal: 'int8' } }],
      mark: { type: 'point', opacity: 1, color: COLOURS.after, fill: COLOURS.after, size: 34 },
      encoding: { x, y: after },
    },
    {
      transform: [{ filter: { field: 'precision', equal: 'fp32' } }],
      mark: { type: 'point', opacity: 1, shape: 'diamond', color: COLOURS.text, size: 60, strokeWidth: 1.6 },
      encoding: { x, y: after },
    },
  ];
}

function errorAlternative({ title, sites }: SiteGroup): string {
  const spans = [
    `before pre-scaling ${spanOf(sites, ({ errorBefore }) => errorBefore)}`,
    `after it ${spanOf(sites, ({ errorAfter }) => errorAfter)}`,
  ];
  return `Error by ${sites.length === 1 ? 'site, one site' : `site, ${sites.length} sites`}, ${title}. ${spans.join('; ')}.`;
}

/** Magnitudes of each site's channels and how far its integers reach. All panels share one scale. */
export function rangePanels(sites: readonly SiteReport[]): Panel[] {
  const decades = decadesOf(sites.flatMap((site) => [...Object.values(channelBands(site)), reachOf(site)]));
  return groupSites(sites).map((group) => {
    const rows = group.sites
      .filter(({ site }) => isFinitePair(channelBands(site).top, reachOf(site)))
      .map((placed) => rangeRow(placed, decades));
    const spec = framed(rows, rangeLayers(group, decades));
    return { name: `range-${group.kind}`, title: group.title, alternative: rangeAlternative(group), spec };
  });
}

function rangeRow({ site, at }: PlacedSite, decades: Decades) {
  const { p5, p50, p95, top }: ChannelBands = channelBands(site);
  const inside = (value: number): number => within(decades, value);
  return {
    at,
    p5: inside(p5),
    p50: inside(p50),
    p95: inside(p95),
    top: inside(top),
    reach: inside(reachOf(site)),
    precision: site.precision,
  };
}

function rangeLayers(group: SiteGroup, decades: Decades): Layers {
  const x = axisOf(group);
  const magnitude = (field: string) => ({ field, ...logAxis(decades, 'magnitude') });
  // As wide as the room between two sites allows.
  const thickness = Math.max(2, Math.min(9, 200 / (lastOf(group) - firstOf(group) + 1)));
  return [
    { mark: { type: 'rule', color: COLOURS.before, strokeWidth: 1 }, encoding: { x, y: magnitude('p95'), y2: { field: 'top' } } },
    {
      mark: { type: 'rule', color: COLOURS.before, strokeWidth: thickness, opacity: 0.4 },
      encoding: { x, y: magnitude('p5'), y2: { field: 'p95' } },
    },
    {
      mark: { type: 'tick', orient: 'horizontal', color: COLOURS.before, size: thickness, thickness: 2 },
      encoding: { x, y: magnitude('p50') },
    },
    { mark: { type: 'point', opacity: 1, color: COLOURS.before, size: 22, strokeWidth: 1.4 }, encoding: { x, y: magnitude('top') } },
    {
      transform: [{ filter: { field: 'precision', equal: 'int8' } }],
      mark: { type: 'tick', orient: 'horizontal', color: COLOURS.after, size: thickness + 5, thickness: 3 },
      encoding: { x, y: magnitude('reach') },
    },
  ];
}

function rangeAlternative({ title, sites }: SiteGroup): string {
  const spans = [
    `largest channel ${spanOf(sites, (site) => channelBands(site).top)}`,
    `median channel ${spanOf(sites, (site) => channelBands(site).p50)}`,
    `integers after pre-scaling reach ${spanOf(sites, reachOf)}`,
  ];
  return `Channel magnitudes by site, ${title}. ${spans.join('; ')}.`;
}

function axisOf(group: SiteGroup) {
  return stepAxis(firstOf(group), lastOf(group), group.axis);
}

function firstOf({ sites }: SiteGroup): number {
  return sites.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
}

function lastOf({ sites }: SiteGroup): number {
  return sites.reduce((most, { at }) => Math.max(most, at), 0);
}

/** `0.0012 (layer0.up) to 0.034 (layer7.up)`. */
function spanOf(sites: readonly PlacedSite[], figure: (site: SiteReport) => number): string {
  const sorted = sites.map(({ site }) => ({ name: site.name, value: figure(site) })).sort((a, b) => a.value - b.value);
  const ends = [...new Set([sorted[0], sorted.at(-1)])];
  return ends.map((end) => (end === undefined ? '' : `${figureOf(end.value)} (${end.name})`)).join(' to ');
}

/** Three digits: `0.00123`, `1.23e-7`. */
export function figureOf(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function isFinitePair(a: number, b: number): boolean {
  return Number.isFinite(a) && Number.isFinite(b);
}
