import { describe, expect, it } from 'vitest';
import { type Drawing, renderSvg } from '#src/page/svg.js';
import { markupFault } from './well-formed.js';

/** A picture for which Vega makes up ids: one for its clip path, one for its gradient. */
const clipped = (name: string): Drawing => ({
  name,
  alternative: '"a" < b & \u0007',
  spec: {
    width: 40,
    height: 20,
    data: { values: [{ at: 1 }] },
    mark: { type: 'bar', clip: true, color: { gradient: 'linear', stops: [0, 1].map((offset) => ({ offset, color: 'red' })) } },
    encoding: { x: { field: 'at', type: 'quantitative', title: '<&>' } },
  },
});

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] as string).sort();

describe('an SVG', () => {
  it('has ids of its own name, the same ones however many came before', async () => {
    const first = await renderSvg(clipped('one'));
    const [again, other] = await Promise.all([renderSvg(clipped('one')), renderSvg(clipped('two'))]);
    expect(all(first.markup, /\bid="([^"]*)"/g)).toEqual(['one-0', 'one-1']);
    expect(all(first.markup, /url\(#([^)]*)\)/g)).toEqual(['one-0', 'one-1']);
    expect(again.markup).toBe(first.markup);
    expect(other.markup).toBe(first.markup.replaceAll('one-', 'two-'));
  });

  it('escapes its alternative and its texts, and is well-formed', async () => {
    const { markup } = await renderSvg(clipped('one'));
    expect(markup).toMatch(
      /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" role="img" aria-label="&quot;a&quot; &lt; b &amp; \\u0007" viewBox="/,
    );
    expect(markup).toContain('>&lt;&amp;&gt;</text>');
    expect(markupFault(markup)).toBeUndefined();
  });
});

describe('the check of markup', () => {
  it.each([
    ['<a><b></a></b>', '</a> closes nothing'],
    ['<a>', 'a is not closed'],
    ['<a/><b/>', 'something after the root at 4'],
    ['<a x="1" x="2"/>', 'attribute twice in <a x="1" x="2"/>'],
    ['<a x=1/>', 'no tag at <a x=1/>'],
    ['<a>&nbsp;</a>', 'bare character in &nbsp;'],
    ['<a b="&"/>', 'bare & in <a b="&"/>'],
    ['x<a/>', 'text outside the root at 0'],
    ['<a b="1"><c/>&lt;&#39;</a>', undefined],
  ])('says of %s: %s', (markup, fault) => expect(markupFault(markup)).toBe(fault));
});
