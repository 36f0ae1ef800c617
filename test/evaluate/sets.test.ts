// Classification sets and texts without labels, from files as people have them, and a sentence for each way in which one can be wrong.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClassificationSet } from '#src/evaluate/classification-set.js';
import { MOST_ROWS, readTextSet } from '#src/evaluate/text-set.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';

function fileOf(content: string, name = 'set.tsv'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

describe('a classification file', () => {
  const lines = Array.from({ length: 40 }, (_, row) => `${row % 4 === 0 ? 'rare' : 'often'}\ttext ${row}`);

  it('is divided into a fifth of each class and the rest, no text on both sides', async () => {
    const set = await readClassificationSet(fileOf(`label\ttext\n${lines.join('\n')}\n`));
    expect([set.classes, set.texts.length, set.tested.length]).toEqual([['often', 'rare'], 40, 8]);
    expect([...set.tested].map((row) => set.labels[row]).filter((label) => label === 1)).toHaveLength(2);
    expect([...set.tested, ...set.learnt].sort((a, b) => a - b)).toEqual([...set.texts.keys()]);
  });

  it('is divided by its texts, whatever their order and however often they stand there', async () => {
    const testedOf = async (some: readonly string[]): Promise<string[]> => {
      const { tested, texts } = await readClassificationSet(fileOf(some.join('\n')));
      return Array.from(tested, (row) => texts[row] as string).sort();
    };
    const expected = await testedOf(lines);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(lines, { minLength: 40 }), async (some) => {
        expect(await testedOf([...some, ...some.slice(0, 7)])).toEqual(expected);
      }),
      { numRuns: 8 },
    );
  });

  it.each([
    ['a\tx\na\ty\n', /all texts are a$/],
    ['', /holds no text$/],
    ['a\tx\na\ty\nb\tz\n', /the class b has one text/],
    ['a\tx\nno tab\n', /line 2: no tab$/],
    ['a\tx\n\ty\n', /line 2: the label is empty$/],
    ['a\tx\na\t \n', /line 2: the text is only white space$/],
    ['a\tx\nb\tx\n', /line 2: another label \(b, before a\)/],
  ])('is refused: %j', async (content, message) => {
    const refused = { code: 'bad-row', message: expect.stringMatching(message), hint: expect.any(String) };
    await expect(readClassificationSet(fileOf(content))).rejects.toMatchObject(refused);
  });
});

describe('texts without labels', () => {
  it('are lines, some of them pairs; each distinct text once', async () => {
    const set = await readTextSet(fileOf('one\ntwo\tone\n\nthree\n', 'texts.txt'));
    const expected = { kind: 'texts', name: 'texts.txt', texts: ['one', 'two', 'three'], pairs: Int32Array.of(1, 0), rows: 3, used: 3 };
    expect(set).toEqual(expected);
  });

  it('are the field "text" of JSONL and CSV', async () => {
    const jsonl = await readTextSet(fileOf('{"text":"a\\tb"}\n{"text":"c"}\n', 'texts.jsonl'));
    expect([jsonl.texts, jsonl.pairs.length]).toEqual([['a\tb', 'c'], 0]);
    expect((await readTextSet(fileOf('id,text\n1,x\n2,y\n', 'texts.csv'))).texts).toEqual(['x', 'y']);
  });

  it('are used up to a limit, spread evenly, and said to be', async () => {
    const rows = 2 * MOST_ROWS + 5;
    const set = await readTextSet(fileOf(Array.from({ length: rows }, (_, row) => `text ${row}`).join('\n'), 'many.txt'));
    const step = 4;
    expect([set.rows, set.used, set.texts.length]).toEqual([rows, Math.ceil(rows / step), Math.ceil(rows / step)]);
    expect(set.texts).toEqual(Array.from({ length: set.used }, (_, row) => `text ${row * step}`));
  });

  it.each([
    ['', 'bad-row', /holds no text, so nothing has a neighbour$/],
    ['same\nsame\n', 'bad-row', /holds a single text/],
    ['a\t \n', 'bad-row', /line 1: the second text is only white space$/],
  ])('are refused: %j', async (content, code, message) => {
    await expect(readTextSet(fileOf(content, 't.txt'))).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
