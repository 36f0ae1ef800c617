// Outputs appear whole or not at all: temporaries, links, devices, and what stands in the way of writing.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFileSink, streamSink } from '#src/columns/sinks.js';
import { temporaryFolder } from '../run.js';

const bytes = Buffer.from('whole');

describe('a file', () => {
  it('appears with the commit, not before', async () => {
    const folder = temporaryFolder();
    const sink = await openFileSink(join(folder, 'out.parquet'));
    await sink.write(bytes.subarray(0, 2));
    await sink.write(bytes.subarray(2));
    expect(readdirSync(folder)).toEqual([sink.path?.slice(folder.length + 1)]);
    expect([readFileSync(sink.path as string, 'utf8'), sink.bytes]).toEqual(['whole', 5]);
    await sink.commit();
    expect(readdirSync(folder)).toEqual(['out.parquet']);
    expect(readFileSync(join(folder, 'out.parquet'), 'utf8')).toBe('whole');
  });

  it('that stood there before stays as it was when the run fails', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'out.parquet'), 'old');
    const sink = await openFileSink(join(folder, 'out.parquet'));
    await sink.write(bytes);
    await sink.abort();
    await sink.abort();
    expect(readdirSync(folder)).toEqual(['out.parquet']);
    expect(readFileSync(join(folder, 'out.parquet'), 'utf8')).toBe('old');
  });

  it('takes nothing more once given up', async () => {
    const sink = await openFileSink(join(temporaryFolder(), 'out.parquet'));
    await sink.abort();
    await expect(sink.write(bytes)).rejects.toMatchObject({ code: 'output-unwritable' });
  });

  it('is written by two runs at a time without mixing them', async () => {
    const path = join(temporaryFolder(), 'out.parquet');
    const [one, two] = [await openFileSink(path), await openFileSink(path)];
    await one.write(Buffer.from('one'));
    await two.write(Buffer.from('two'));
    await one.commit();
    expect(readFileSync(path, 'utf8')).toBe('one');
    await two.commit();
    expect(readFileSync(path, 'utf8')).toBe('two');
  });

  it('behind a link is replaced, not the link', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data', 'v1.parquet'), 'old');
    symlinkSync('data/v1.parquet', join(folder, 'latest.parquet'));
    const sink = await openFileSink(join(folder, 'latest.parquet'));
    await sink.write(bytes);
    await sink.commit();
    expect(readlinkSync(join(folder, 'latest.parquet'))).toBe('data/v1.parquet');
    expect(readFileSync(join(folder, 'data', 'v1.parquet'), 'utf8')).toBe('whole');
  });
});

describe('temporaries of other runs', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const ofDead = [`.embedkit-out.parquet.${dead}-0`, `.embedkit-out.parquet.${dead}-12`];
  const others = [
    `.embedkit-out.parquet.${process.ppid}-0`,
    `.embedkit-other.parquet.${dead}-0`,
    `.embedkit-out.parquet.${dead}-0.gz`,
    `.embedkit-out.parquet.notes`,
    `.embedkit-out.parquet.parquet.${dead}-0`,
  ];

  it('are removed where the process is dead, and nothing else is', async () => {
    const folder = temporaryFolder();
    for (const name of [...ofDead, ...others]) writeFileSync(join(folder, name), '');
    const sink = await openFileSink(join(folder, 'out.parquet'));
    await sink.commit();
    expect(readdirSync(folder).sort()).toEqual([...others, 'out.parquet'].sort());
  });
});

describe('what is no file is written directly', () => {
  it('/dev/null', async () => {
    const sink = await openFileSink('/dev/null');
    expect(sink.path).toBeUndefined();
    await sink.write(bytes);
    await sink.commit();
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('a FIFO', async () => {
    const path = join(temporaryFolder(), 'pipe.jsonl');
    execFileSync('mkfifo', [path]);
    const reading = new Promise<string>((resolve) => {
      import('node:fs/promises').then(({ readFile }) => readFile(path, 'utf8')).then(resolve);
    });
    const sink = await openFileSink(path);
    await sink.write(bytes);
    await sink.commit();
    expect(await reading).toBe('whole');
    expect(lstatSync(path).isFIFO()).toBe(true);
  });

  it('/dev/full, which is full', async () => {
    const sink = await openFileSink('/dev/full');
    await expect(sink.write(bytes)).rejects.toMatchObject({
      code: 'output-unwritable',
      sentence: 'cannot write /dev/full: the disk is full; free some space and run again',
    });
    await sink.abort();
    expect(lstatSync('/dev/full').isCharacterDevice()).toBe(true);
  });
});

describe('what stands in the way', () => {
  it.each([
    ['missing/out.parquet', 'output-unwritable', 'its folder does not exist; make the folder first'],
    ['file/out.parquet', 'output-unwritable', 'its folder is a file; choose another place'],
    ['folder', 'usage', '/folder is a folder; name a file in it, for example out.parquet'],
  ])('%s', async (name, code, end) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'folder'));
    await expect(openFileSink(join(folder, name))).rejects.toMatchObject({ code, sentence: expect.stringMatching(new RegExp(`${end}$`)) });
  });

  it('a folder that may not be written', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o555);
    // Root may write anywhere: be somebody else for the while.
    if (process.getuid?.() === 0) process.seteuid?.(65534);
    onTestFinished(() => void (process.getuid?.() === 0 && process.seteuid?.(0)));
    await expect(openFileSink(join(folder, 'out.parquet'))).rejects.toMatchObject({
      code: 'output-unwritable',
      sentence: expect.stringMatching(/permission denied; choose another place or change the permissions$/),
    });
  });
});

describe('a stream', () => {
  it('gets the bytes in order and waits for its reader', async () => {
    const stream = new PassThrough({ highWaterMark: 4 });
    const sink = streamSink(stream, 'standard output');
    const reading = stream.toArray();
    const writing = (async () => {
      for (let turn = 0; turn < 10; turn++) await sink.write(bytes);
      await sink.commit();
      stream.end();
    })();
    const read = (await reading).map(String).join('');
    await writing;
    expect([read, sink.bytes]).toEqual(['whole'.repeat(10), 50]);
  });

  it('is let go with the commit', async () => {
    const stream = new PassThrough();
    const sink = streamSink(stream, 'standard output');
    expect(stream.listenerCount('error')).toBe(1);
    await sink.commit();
    expect(stream.listenerCount('error')).toBe(0);
  });

  it('whose reader went away is closed-pipe', async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })) });
    const sink = streamSink(stream, 'standard output');
    await expect(sink.write(bytes)).rejects.toMatchObject({ code: 'closed-pipe' });
    await expect(sink.write(bytes)).rejects.toMatchObject({ code: 'closed-pipe' });
  });

  it('gets nothing more once the run has ended', async () => {
    const stream = new PassThrough();
    const sink = streamSink(stream, 'standard output');
    await sink.abort();
    await expect(sink.write(bytes)).rejects.toMatchObject({ code: 'output-unwritable' });
    expect(stream.readableLength).toBe(0);
  });
});
