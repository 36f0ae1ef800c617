import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { resolveInputs } from '#src/records/read.js';
import { unzstd } from '#src/records/zstd.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';
import { FIXTURE_ROWS, fixture } from './fixtures.js';
import { cutBySizes, failureOf, openRecords, readAll, readPiped } from './reading.js';

const LINES = readFileSync(fixture('lines.jsonl.zst'));
const TEXTS = FIXTURE_ROWS.map((row) => row.text);
const PLAIN = Buffer.from(TEXTS.map((text, id) => `${JSON.stringify({ id, text })}\n`).join(''));
const GZIP = Buffer.concat([gzipSync(PLAIN.subarray(0, 500)), gzipSync(PLAIN.subarray(500))]);
const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 });

/** A zstd frame of stored blocks and of blocks that repeat one byte. Source: RFC 8878. */
function zstdFrame(blocks: readonly ({ stored: Buffer } | { byte: number; times: number })[]): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
  const bodies = blocks.map((block, index) => {
    const size = 'stored' in block ? block.stored.length : block.times;
    const head = Buffer.alloc(3);
    head.writeUIntLE((size << 3) | ('stored' in block ? 0 : 2) | (index === blocks.length - 1 ? 1 : 0), 0, 3);
    return Buffer.concat([head, 'stored' in block ? block.stored : Buffer.from([block.byte])]);
  });
  return Buffer.concat([header, ...bodies]);
}

describe.each([
  ['gzip', GZIP],
  ['zstd', LINES],
])('%s', (name, packed) => {
  it('is told by its first bytes on standard input, whatever the chunks', async () => {
    const property = fc.asyncProperty(sizes, async (cuts) => {
      const records = await readPiped(cutBySizes(packed, cuts), 'jsonl');
      expect(records.map(({ id, text }) => [id, text])).toEqual(TEXTS.map((text, id) => [String(id), text]));
    });
    await fc.assert(property, { numRuns: 40, examples: [[[1]], [[3]]] });
  });

  it('is refused wherever it is cut off', async () => {
    // Between two gzip members nothing shows that one is missing, so that a file of one is cut here.
    const whole = name === 'gzip' ? gzipSync(PLAIN) : packed;
    for (let end = 4; end < whole.length; end += 3) {
      const failure = await failureOf(readPiped([whole.subarray(0, end)], 'jsonl', { onBadRow: () => undefined }));
      expect([failure.code, failure.sentence]).toEqual([
        'input-unreadable',
        'standard input: the compressed data ends too early (a truncated file?); fetch or write the file again',
      ]);
    }
  });

  it('is refused where the name promises it and the bytes are something else', async () => {
    const path = `${temporaryFolder()}/x.jsonl.${name === 'gzip' ? 'gz' : 'zst'}`;
    writeFileSync(path, PLAIN);
    const failure = await failureOf(readAll([path]));
    expect(failure.code).toBe('input-unreadable');
    expect(failure.sentence).toMatch(/x\.jsonl\.(gz|zst): cannot be read: .*; check that the file is whole/);
  });
});

describe('zstd', () => {
  it('reads several frames, skippable ones and empty ones', async () => {
    const skippable = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('any')]);
    const empty = zstdFrame([{ stored: Buffer.alloc(0) }]);
    const frames = [LINES, skippable, empty, zstdFrame([{ stored: Buffer.from('tail') }, { byte: 0x21, times: 3 }])];
    for (const size of [1, 7, 100_000]) {
      const chunks: Buffer[] = [];
      for await (const chunk of unzstd(Readable.from(cutBySizes(Buffer.concat(frames), [size])))) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe(`${PLAIN}tail!!!`);
    }
  });

  it('hands out a gigabyte of repeats in small pieces, as it is asked for', async () => {
    const bomb = zstdFrame(Array.from({ length: 8192 }, () => ({ byte: 0x61, times: 1 << 17 })));
    const failure = await failureOf(readPiped([bomb], 'txt', { maxLineBytes: 2 ** 20 }));
    expect(failure.code).toBe('text-too-long');
    expect(process.resourceUsage().maxRSS).toBeLessThan(1_000_000);
  });

  it('ends in an error, and ends, on bytes that were changed', async () => {
    const property = fc.asyncProperty(fc.nat(LINES.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const changed = Buffer.from(LINES);
      changed[at] = (changed[at] as number) ^ change;
      const outcome = await readPiped([changed], 'jsonl', { onBadRow: () => undefined }).catch((error) => error.code);
      expect(Array.isArray(outcome) || ['input-unreadable', 'text-too-long'].includes(outcome)).toBe(true);
    });
    await fc.assert(property, { numRuns: 300 });
  });
});

describe('a reader that stops early', () => {
  it.each(['a.jsonl', 'a.jsonl.gz', 'a.csv', 'a.jsonl.zst'])('closes %s', async (name) => {
    const path = `${temporaryFolder()}/${name}`;
    const csv = `text\n${'row\n'.repeat(300_000)}`;
    writeFileSync(path, name.endsWith('gz') ? GZIP : name.endsWith('zst') ? LINES : name.endsWith('csv') ? csv : PLAIN);
    const [input] = await resolveInputs([path], { from: undefined, stdin: undefined });
    const stream = createReadStream(path);
    const records = openRecords([
      { ...(input as NonNullable<typeof input>), source: { ...input?.source, path: undefined, stream } as never },
    ]);
    expect((await records.next()).done).toBe(false);
    await records.return(undefined);
    await vi.waitFor(() => expect(stream.closed).toBe(true));
  });
});
