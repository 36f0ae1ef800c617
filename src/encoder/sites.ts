// Where an encoder multiplies by weights: four inputs a layer, each read by one or more linear maps.
import type { Encoder, EncoderLayer, Linear } from './encoder.js';

/** attention: what query, key and value read; context: what output reads; up and down: what these read. */
export type SiteKind = 'attention' | 'context' | 'up' | 'down';

/** One input of matrix products. All products that read it share its quantized form. */
export interface Site {
  readonly layer: number;
  readonly kind: SiteKind;
}

export type LinearName = 'query' | 'key' | 'value' | 'output' | 'up' | 'gate' | 'down';

/** Site kind -> the linear maps that may read it, in the order of the graph. */
const LINEARS: Readonly<Record<SiteKind, readonly LinearName[]>> = {
  attention: ['query', 'key', 'value'],
  context: ['output'],
  up: ['up', 'gate'],
  down: ['down'],
};

export const SITE_KINDS = Object.keys(LINEARS) as SiteKind[];

/** The linear maps that read a site of this encoder, in the order of the graph. */
export function linearsAt(encoder: Encoder, site: Site): readonly LinearName[] {
  const layer = encoder.layers[site.layer] as EncoderLayer;
  return LINEARS[site.kind].filter((name) => layer[name] !== undefined);
}

/** `layer3.down`: the name of a site in graphs, reports and manifests. */
export function siteName({ layer, kind }: Site): string {
  return `layer${layer}.${kind}`;
}

/** All sites in the order in which they are computed. */
export function sitesOf(encoder: Encoder): Site[] {
  return encoder.layers.flatMap((_, layer) => SITE_KINDS.map((kind) => ({ layer, kind })));
}

export function linearOf(encoder: Encoder, site: Site, name: LinearName): Linear {
  return (encoder.layers[site.layer] as EncoderLayer)[name] as Linear;
}
