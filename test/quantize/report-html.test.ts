import { afterEach, describe, expect, it, vi } from 'vitest';
import type { QuantizeReport } from '#src/quantize/report.js';
import { reportHtml } from '#src/quantize/report-html.js';
import { markupFault } from '../page/well-formed.js';
import { FAILED, HOSTILE, NO_SETS, ONE_SITE, PASSED, SLOWER, withGate } from './made-up-report.js';

const REPORTS: [string, QuantizeReport][] = Object.entries({ PASSED, FAILED, NO_SETS, SLOWER, ONE_SITE, HOSTILE });
const SECTIONS = [
  'Summary',
  'Error by site: the further a blue dot lies below its orange ring, the more pre-scaling helped',
  'Channel ranges: a ring far above its band is an outlier; a blue bar near the band says that pre-scaling tamed it',
  'Held-out cosines: the further right the bars, the closer INT8 is to full precision',
  'Worst texts',
  'Sites kept in fp32',
  'Calibration',
  'Recipe',
  'Machine',
  'Time and memory',
];

const captures = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] as string);
const svgsOf = (page: string): string[] => captures(page, /(<svg.*?<\/svg>)/gs);

/** What a reader sees of a piece of the page, on one line. */
function wordsOf(markup: string): string {
  const text = markup.replace(/<\/(td|th|dt|dd|h\d|p|li)>/g, ' ').replace(/<[^>]*>/g, '');
  return text.replaceAll('&#39;', "'").replace(/\s+/g, ' ').trim();
}

function section(page: string, title: string): string {
  const from = page.indexOf(`<h2>${title}`);
  return wordsOf(page.slice(from, page.indexOf('<h2>', from + 1)));
}

afterEach(() => vi.restoreAllMocks());

describe.each(REPORTS)('the page of %s', (_, report) => {
  it('has every section in its order', async () => {
    expect(captures(await reportHtml(report), /<h2>(.*?)<\/h2>/gs)).toEqual(SECTIONS);
  });

  it('runs nothing and fetches nothing', async () => {
    const page = await reportHtml(report);
    expect(page).not.toMatch(/<(script|link|img|image|iframe|object|embed|base|form|a)\b/i);
    expect(page).not.toMatch(/\s(on\w+|src|srcset|href|xlink:href|action|style)=/i);
    expect(page).not.toMatch(/@import|url\((?!#)/);
    expect(page).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;">`,
    );
    const addresses = new Set(captures(page, /(https?:[^"\s<]*)/g));
    expect([...addresses].filter((address) => address !== 'https://example.org/')).toEqual(['http://www.w3.org/2000/svg']);
  });

  it('holds well-formed pictures, each with its alternative, no id twice', async () => {
    const page = await reportHtml(report);
    expect(svgsOf(page).length).toBe(2 * Math.min(4, report === HOSTILE ? 1 : report.sites.length) + 1);
    expect(svgsOf(page).flatMap((svg) => markupFault(svg) ?? [])).toEqual([]);
    expect(svgsOf(page).filter((svg) => !/^<svg [^>]*role="img" aria-label="[^"]{40,}" viewBox="0 0 360 220">/.test(svg))).toEqual([]);
    const ids = captures(page, /\sid="([^"]*)"/g);
    expect(new Set(ids).size).toBe(ids.length);
    expect(captures(page, /url\(#([^)]*)\)/g).filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('has no character that steers', async () => {
    expect(await reportHtml(report)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u);
  });

  it('nests', async () => {
    const page = (await reportHtml(report)).replace('<!doctype html>\n', '').replace(/<(meta|br)([^>]*)>/g, '<$1$2/>');
    expect(markupFault(page.trimEnd().replace(/<style>.*<\/style>/s, ''))).toBeUndefined();
  });
});

describe('the bytes', () => {
  it('are the same whenever and beside whatever they are written', async () => {
    const first = await reportHtml(PASSED);
    await reportHtml(FAILED);
    const both = await Promise.all([reportHtml(PASSED), reportHtml(PASSED)]);
    expect(both.map((page) => page === first)).toEqual([true, true]);
  });

  it('say nothing on the console', async () => {
    const said = (['log', 'warn', 'error', 'info', 'debug'] as const).map((level) => vi.spyOn(console, level).mockReturnValue());
    for (const [, report] of REPORTS) await reportHtml(report);
    expect(said.flatMap((spy) => spy.mock.calls)).toEqual([]);
  });
});

describe('what the page says', () => {
  it('opens with the verdict and its figures', async () => {
    const head = (page: string): string => wordsOf(page.slice(page.indexOf('<body>'), page.indexOf('<h2>')));
    const figures = (mean: string, p1: string, least: string) =>
      `On 500 held-out texts the cosine of INT8 vectors to full-precision ones is ${mean} (at least 0.998) on average, ${p1} (at least 0.995) at the 1st percentile and ${least} (at least 0.98) for the worst text; of each text's ten nearest neighbours, 93.52% (at least 90%) stay.`;
    const passed = `${figures('0.99935', '0.99612', '0.99471')}`;
    expect(head(await reportHtml(NO_SETS))).toBe(`INT8 quantization of made-up-small Passed: all 4 thresholds are met. ${passed}`);
    expect(head(await reportHtml(PASSED))).toBe(
      `INT8 quantization of made-up-small Passed: all 6 thresholds are met. ${passed} On labelled sets INT8 keeps 99.95% (at least 99%) of spearman on sts-dev.jsonl, 99.51% (at least 99%) of ndcg@10 on nf-test.`,
    );
    expect(head(await reportHtml(FAILED))).toBe(
      `INT8 quantization of made-up-small Not passed: 3 of 5 thresholds are not met. mean cosine 0.99712 is below 0.998 1st percentile of the cosines 0.98911 is below 0.995 share of spearman kept on sts-dev.jsonl 0.97343 is below 0.99 ${figures('0.99712', '0.98911', '0.98123')} On labelled sets INT8 keeps 97.34% (at least 99%) of spearman on sts-dev.jsonl.`,
    );
  });

  it('sums up in tables', async () => {
    expect(section(await reportHtml(PASSED), 'Summary')).toBe(
      [
        'Summary held-out texts found at least mean cosine 0.99935 0.998 met 1st percentile of the cosines 0.99612 0.995 met',
        'least cosine 0.99471 0.98 met ten nearest neighbours kept 93.52% 90% met labelled set full INT8 kept at least',
        'sts-dev.jsonlspearman 0.83211 0.83169 99.95% 99% met',
        'nf-testndcg@10; 94.90% of the nearest ten in common 0.34021 0.33855 99.51% 99% met',
        'cost full INT8 INT8 / full file size 127 MiB 32 MiB 25.56% speed 3,100 tokens/s 7,130 tokens/s 2.30x',
        'Speed is the median of 5 alternating rounds, whose ratios spread from 2.28x to 2.32x; 20 texts of 50 tokens, 1 thread.',
      ].join(' '),
    );
    expect(section(await reportHtml(NO_SETS), 'Summary')).toContain(
      'No labelled set was named: the verdict rests on the held-out texts alone.',
    );
  });

  it('warns plainly where INT8 is slower', async () => {
    const warning =
      'Warning: INT8 is not faster on this machine: it runs at 0.88x the speed of full precision. It saves memory and disk here, not time.';
    expect(section(await reportHtml(SLOWER), 'Summary')).toMatch(new RegExp(`1 thread\\. ${warning.replaceAll('.', '\\.')}$`));
    expect(await reportHtml(PASSED)).not.toContain('Warning');
  });

  it('owns up to a pass in spite of the gate', async () => {
    expect(await reportHtml(withGate({ failures: ['least cosine 0.97 is below 0.98'] }))).toContain(
      '<p class="verdict missed">Passed, but 1 of 6 thresholds is not met.</p>',
    );
  });

  it('ends with the facts of the run', async () => {
    const page = await reportHtml(PASSED);
    const hash = (digits: string) => digits.repeat(4);
    expect(section(page, 'Worst texts')).toContain('cosine tokens text 0.99471 14 ISO 4217:2015 EUR USD GBP 0.99580 61 A long sentence');
    expect(section(page, 'Calibration')).toBe(
      `Calibration file rows SHA-256 prose.jsonl 1,500 ${hash('0123456789abcdef')} titles.txt 512 ${hash('fedcba9876543210')} digest ${'00112233445566778899aabbccddeeff'.repeat(2)} observed 1,500 texts, 81,234 tokens held out 500 texts dropped 10 blank, 2 not text`,
    );
    expect(section(page, 'Recipe')).toBe(
      'Recipe method encoder: through the recognised encoder weights safe format fused: fused operators of the runtime pre-scaling 36 of 48 sites',
    );
    expect(section(page, 'Machine')).toBe(
      'Machine processor Made-up CPU @ 2.50GHz flags avx2 fma avx512f avx512_vnni Node.js v20.1.0 ONNX Runtime 1.30.0',
    );
    expect(wordsOf(page.slice(page.indexOf('<h2>Time')))).toBe(
      'Time and memory stage time load 1.3 s observe 1 min 3 s choose 2 min 21 s gate 40.0 s speed 3.1 s total 4 min 8 s peak memory 912 MiB',
    );
  });

  it('lists the sites, and those kept in fp32', async () => {
    expect(section(await reportHtml(ONE_SITE), 'Sites kept')).toBe(
      'Sites kept in fp32 None: every site (1) is computed in INT8. All sites in figures site precision pre-scaling error before after range from to layer0.down int8 power 0.5 0.031 0.00141 -2.85 3.32',
    );
    expect(section(await reportHtml(FAILED), 'Sites kept')).toMatch(/^Sites kept in fp32 2 of 48: layer0\.down layer11\.down All sites/);
  });

  it('shows hostile texts as they are', async () => {
    const shown =
      '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;\\u0000\\u001b[2J\\u000a\\u202e\ufffd https://example.org/ ]]&gt; --&gt; &lt;/style&gt;';
    const page = await reportHtml(HOSTILE);
    // Name twice, failure, set twice, worst text, kept site, 4 sites with their pre-scaling, file, fallback, cpu, flag, stage; extremes of the
    // two pictures' alternatives: 4 in errors, 6 in ranges.
    expect(page.split(shown).length - 1).toBe(2 + 1 + 2 + 1 + 1 + 8 + 1 + 1 + 1 + 1 + 1 + 4 + 6);
    expect(page).toContain(`<title>INT8 quantization of ${shown}</title>`);
  });

  it('stands where there is nothing to show', async () => {
    const page = await reportHtml({ ...withGate({ cosines: [], worst: [], evaluated: [] }), sites: [] });
    expect(captures(page, /<h2>(.*?)<\/h2>/gs)).toEqual(SECTIONS);
    expect(svgsOf(page).flatMap((svg) => markupFault(svg) ?? [])).toEqual([]);
    expect(page).not.toContain('NaN');
  });
});
