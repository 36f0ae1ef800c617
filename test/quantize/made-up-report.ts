// Quantization reports that no run wrote: plausible figures by formula, for tests of what people see. No measurement.
import type { QuantizeReport, SiteReport } from '#src/quantize/report.js';

const KINDS = ['attention', 'context', 'up', 'down'];

/** Channels whose magnitudes fall geometrically from `top`, the least one alone in being symmetric. */
function siteOf(layer: number, kind: number): SiteReport {
  const top = [14, 2.2, 21, 9.5][kind] as number;
  const maxima = Array.from({ length: 96 }, (_, channel) => (top * (1 + layer / 12)) / (1 + channel * channel * 0.2));
  const minima = maxima.map((value) => (kind === 3 ? -0.17 : -0.8 * value));
  const errorBefore = ([0.0021, 0.00042, 0.0058, 0.031][kind] as number) * (1 + (layer % 5) / 2);
  const errorAfter = errorBefore / ([1.9, 1, 3.4, 22][kind] as number);
  const preScaling = ['cap 0.25', 'none', 'power 0.6 x cap 0.18 ^0.25', 'power 0.5'][kind] as string;
  const [low, high] = [-0.3 * top, 0.35 * top];
  return { name: `layer${layer}.${KINDS[kind]}`, precision: 'int8', preScaling, errorBefore, errorAfter, low, high, minima, maxima };
}

export function sitesOf(layers: number): SiteReport[] {
  return Array.from({ length: layers * KINDS.length }, (_, at) => siteOf(Math.floor(at / KINDS.length), at % KINDS.length));
}

/** Skewed to the right end, like real ones. */
const COSINES = Array.from({ length: 500 }, (_, at) => 1 - 0.0004 * (1 + ((at * 37) % 500) / 500) - (at % 50 === 0 ? 0.00001 * at : 0));

const GATE: QuantizeReport['gate'] = {
  cosine: { mean: 0.99935, p1: 0.99612, minimum: 0.99471 },
  overlap: 0.9352,
  cosines: COSINES,
  worst: [
    { text: 'ISO 4217:2015 EUR USD GBP', tokens: 14, cosine: 0.99471 },
    {
      text: 'A long sentence about nothing in particular, quoted for its first hundred and sixty characters, as the gate has them cut before ',
      tokens: 61,
      cosine: 0.9958,
    },
  ],
  evaluated: [
    { set: 'sts-dev.jsonl', metric: 'spearman', full: 0.83211, quantized: 0.83169, kept: 0.9995 },
    { set: 'nf-test', metric: 'ndcg@10', full: 0.34021, quantized: 0.33855, kept: 0.99512, overlap: 0.949 },
  ],
  failures: [],
  thresholds: { mean: 0.998, p1: 0.995, minimum: 0.98, overlap: 0.9, kept: 0.99 },
  passed: true,
  keptInFp32: [],
};

export const PASSED: QuantizeReport = {
  name: 'made-up-small',
  method: 'encoder',
  weights: 'safe',
  format: 'fused',
  calibration: {
    files: [
      { name: 'prose.jsonl', sha256: '0123456789abcdef'.repeat(4), rows: 1500 },
      { name: 'titles.txt', sha256: 'fedcba9876543210'.repeat(4), rows: 512 },
    ],
    digest: '00112233445566778899aabbccddeeff'.repeat(2),
    observedTexts: 1500,
    observedTokens: 81_234,
    heldOutTexts: 500,
    dropped: { blank: 10, notText: 2 },
  },
  sites: sitesOf(12),
  gate: GATE,
  size: { fullBytes: 133_093_490, int8Bytes: 34_014_426 },
  speed: {
    tokensPerText: 50,
    rows: 20,
    threads: 1,
    full: [3100, 3120, 3080, 3110, 3090],
    int8: [7130, 7238.4, 7022.4, 7215.2, 7107],
    ratio: 2.3,
  },
  seconds: { load: 1.25, observe: 62.5, choose: 141.2, gate: 40, speed: 3.1 },
  peakMemoryBytes: 912 * 2 ** 20,
  machine: { cpu: 'Made-up CPU @ 2.50GHz', flags: ['avx2', 'fma', 'avx512f', 'avx512_vnni'], node: 'v20.1.0', runtime: '1.30.0' },
};

export function withGate(gate: Partial<QuantizeReport['gate']>): QuantizeReport {
  return { ...PASSED, gate: { ...GATE, ...gate } };
}

export const FAILED = withGate({
  cosine: { mean: 0.99712, p1: 0.98911, minimum: 0.98123 },
  evaluated: [{ set: 'sts-dev.jsonl', metric: 'spearman', full: 0.83211, quantized: 0.81, kept: 0.97343 }],
  failures: [
    'mean cosine 0.99712 is below 0.998',
    '1st percentile of the cosines 0.98911 is below 0.995',
    'share of spearman kept on sts-dev.jsonl 0.97343 is below 0.99',
  ],
  passed: false,
  keptInFp32: ['layer0.down', 'layer11.down'],
});

export const NO_SETS = withGate({ evaluated: [] });

export const SLOWER: QuantizeReport = {
  ...PASSED,
  speed: { ...PASSED.speed, int8: [2728, 2714.4, 2741.2, 2705.7, 2719.2], ratio: 0.88 },
};

export const ONE_SITE: QuantizeReport = { ...PASSED, sites: sitesOf(1).slice(3) };

const HOSTILE_TEXT = `<script>alert("1")</script>&'\u0000\u001b[2J\n\u202e${'\ud800'} https://example.org/ ]]> --> </style>`;

/** Every text that a stranger can name or fill is hostile; sites are those of a graph of which nothing is known. */
export const HOSTILE: QuantizeReport = {
  ...withGate({
    worst: [{ text: HOSTILE_TEXT, tokens: 9, cosine: 0.9 }],
    evaluated: [{ set: HOSTILE_TEXT, metric: 'spearman', full: 0.5, quantized: 0.5, kept: 1 }],
    failures: [`share of spearman kept on ${HOSTILE_TEXT} 0.97343 is below 0.99`],
    keptInFp32: [HOSTILE_TEXT],
    passed: false,
  }),
  name: HOSTILE_TEXT,
  method: 'portable',
  fallback: HOSTILE_TEXT,
  calibration: { ...PASSED.calibration, files: [{ name: HOSTILE_TEXT, sha256: '0'.repeat(64), rows: 3 }] },
  sites: sitesOf(1).map((site, at) => ({
    ...site,
    name: `${HOSTILE_TEXT}${at}`,
    precision: at === 0 ? 'fp32' : 'int8',
    preScaling: HOSTILE_TEXT,
  })),
  seconds: { [HOSTILE_TEXT]: 1 },
  machine: { cpu: HOSTILE_TEXT, flags: [HOSTILE_TEXT], node: 'v20.1.0', runtime: '1.30.0' },
};
