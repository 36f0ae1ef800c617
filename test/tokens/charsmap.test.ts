// The normalizer that SentencePiece compiles, against the Rust library with the real table of XLM-R's kin (charsmap.py); broken tables.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { charsmapNormalizer } from '#src/tokens/charsmap.js';
import { createTokenizer, type TokenizerJson } from '#src/tokens/tokenizer.js';
import { fc } from '../properties.js';
import { sharedPath } from '../shared.js';

const PYTHON = process.env['TEST_PYTHON'] ?? '';
const SCRIPT = fileURLToPath(new URL('charsmap.py', import.meta.url));
const UNLIMITED = Number.MAX_SAFE_INTEGER;

interface Answers {
  readonly charsmap: string;
  readonly texts: readonly string[];
  readonly normalized: readonly string[];
  readonly tokenizer: TokenizerJson;
  readonly ids: readonly (readonly number[])[];
}

describe.runIf(PYTHON !== '')('with the table of SentencePiece (skipped without TEST_PYTHON)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'embedkit-test-'));
  let answers: Answers;

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(() => {
    const out = join(folder, 'answers.json');
    const corpora = ['prose/calib-2080.txt', 'naughty-strings/blns.txt'].map((name) => sharedPath(`data/${name}`)).filter(existsSync);
    execFileSync(PYTHON, [SCRIPT, out, ...corpora]);
    answers = JSON.parse(readFileSync(out, 'utf8'));
  }, 120_000);

  it('every code point, graphemes of many kinds and the shared corpora have the normal forms of the Rust library', () => {
    const normalize = charsmapNormalizer(answers.charsmap);
    const other = answers.texts.flatMap((text, at) => {
      const [found, wanted] = [normalize(text), answers.normalized[at]];
      return found === wanted ? [] : [{ text, found, wanted }];
    });
    expect(other).toEqual([]);
    expect(answers.texts.length).toBeGreaterThan(8000);
  });

  it('a Unigram tokenizer with it gives the same ids', () => {
    const { encode } = createTokenizer(answers.tokenizer);
    const other = answers.texts.filter((text, at) => encode(text, UNLIMITED).ids.join() !== answers.ids[at]?.join());
    expect(other).toEqual([]);
  });
});

/** A double array that maps one byte to the text at 0. */
function oneByteTable(byte: string, text: string): string {
  const code = byte.charCodeAt(0);
  const units = new Uint32Array(256);
  // The root has its children at 0; the child's own leaf is found at its label by an offset of 1.
  units[code] = code | (1 << 8) | (1 << 10);
  units[code ^ 1] = 0x80000000;
  const length = Buffer.alloc(4);
  length.writeUInt32LE(units.byteLength);
  return Buffer.concat([length, Buffer.from(units.buffer), Buffer.from(`${text}\0`)]).toString('base64');
}

function tokenizerWith(normalizer: unknown): TokenizerJson {
  const vocab = ['<unk>', 'x', 'y'].map((token, at) => [token, -at]);
  const none = { added_tokens: [], pre_tokenizer: null, post_processor: null, decoder: null };
  return { ...none, model: { type: 'Unigram', unk_id: 0, vocab }, normalizer } as TokenizerJson;
}

describe('a table', () => {
  it('replaces what it has, within its graphemes, and nothing else', () => {
    const normalize = charsmapNormalizer(oneByteTable('q', 'what'));
    expect(normalize('q, aq\u0301 and é\r\n漢q')).toBe('what, awhat and é\r\n漢what');
    expect(charsmapNormalizer(oneByteTable('\n', ' '))('plain ASCII\n')).toBe('plain ASCII ');
  });

  it('that is none is one sentence', () => {
    for (const bytes of [
      '',
      'AAAA',
      Buffer.from([255, 255, 255, 255, 1]).toString('base64'),
      Buffer.from([3, 0, 0, 0, 1, 2, 3]).toString('base64'),
    ]) {
      expect(() => charsmapNormalizer(bytes)).toThrow(/no table of SentencePiece/);
    }
  });

  it('of any bytes ends in a text or in that sentence', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 400 }), fc.string({ unit: 'binary' }), (bytes, text) => {
        const map = Buffer.from(bytes);
        map.writeUInt32LE((map.length - 4) & ~3, 0);
        try {
          expect(typeof charsmapNormalizer(map.toString('base64'))(text)).toBe('string');
        } catch (error) {
          expect(error).toMatchObject({ code: 'model-invalid' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('comes first in a sequence, or the model is refused', () => {
    const table = { type: 'Precompiled', precompiled_charsmap: oneByteTable('q', 'x') };
    for (const normalizer of [
      table,
      { type: 'Sequence', normalizers: [{ type: 'Sequence', normalizers: [table] }, { type: 'Lowercase' }] },
    ]) {
      expect(createTokenizer(tokenizerWith(normalizer)).encode('qy', UNLIMITED).ids).toEqual([1, 2]);
    }
    const late = tokenizerWith({ type: 'Sequence', normalizers: [{ type: 'Lowercase' }, table] });
    expect(() => createTokenizer(late)).toThrow(/not the first step/);
  });
});
