// The layout of the house, checked: who may import whom, how long files are, which names are banned.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAX_LINES = 200;
const GENERATED = new Set(['src/tokens/bert-classes.ts']);
const STAGES = ['records', 'tokens', 'batches', 'engine', 'vectors', 'columns'];
const BANNED_NAMES = /(^|[-_/.])(utils?|helpers?|misc|common|shared|manager|stuff)([-_/.]|$)/i;
const TOP_LEVEL = new Set(
  `package.json package-lock.json tsconfig.json biome.json vitest.config.ts LICENSE README.md ARCHITECTURE.md CHANGELOG.md
  bin src calibration models examples benchmarks integrations deploy docs test .ci .git .gitignore .npmrc`.split(/\s+/),
);
// What a run or a build leaves, all of it ignored by git.
const LEFT_BY_RUNS = new Set(['node_modules', 'dist', 'passages.parquet']);

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Paths of the imported source files, and names of the imported packages. */
  readonly imports: readonly string[];
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length));
}

function importsOf(path: string, text: string): string[] {
  const specifiers = [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)'([^']+)'/g)].map((match) => match[1] as string);
  return specifiers.map((name) => (name.startsWith('.') ? normalize(join(dirname(path), name)).replace(/\.js$/, '.ts') : name));
}

function read(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, imports: importsOf(path, text) };
}

const sources = filesUnder('src')
  .filter((path) => path.endsWith('.ts'))
  .map(read);
const roomOf = (path: string): string => path.split('/')[1] as string;

function offenders(isWrong: (file: SourceFile) => boolean): string[] {
  return sources.filter(isWrong).map((file) => file.path);
}

describe('layout', () => {
  it('reads the tree', () => {
    expect(sources.length).toBeGreaterThan(40);
    expect(sources.flatMap((file) => file.imports).length).toBeGreaterThan(150);
  });

  it('keeps the top level to its list', () => {
    const names = readdirSync(ROOT).filter((name) => !TOP_LEVEL.has(name) && !LEFT_BY_RUNS.has(name));
    expect(names).toEqual([]);
  });

  it(`has no file over ${MAX_LINES} lines`, () => {
    expect(offenders((file) => !GENERATED.has(file.path) && file.text.split('\n').length > MAX_LINES + 1)).toEqual([]);
  });

  it('says in the first line of each file what it is', () => {
    expect(offenders((file) => !/^(\/\/|#!)/.test(file.text) && !file.path.endsWith('.d.ts'))).toEqual([]);
  });

  it('has no catch-all names', () => {
    const names = [...sources.map((file) => file.path), ...filesUnder('test').filter((path) => path !== 'test/shared.ts')];
    expect(names.filter((path) => BANNED_NAMES.test(path.replace(/\.(test\.)?ts$/, '')))).toEqual([]);
  });
});

describe('imports', () => {
  it('lets no stage import another', () => {
    const wrong = sources.flatMap((file) =>
      STAGES.includes(roomOf(file.path))
        ? file.imports
            .filter((other) => STAGES.includes(roomOf(other)) && other.startsWith('src/') && roomOf(other) !== roomOf(file.path))
            .map((other) => `${file.path} -> ${other}`)
        : [],
    );
    expect(wrong).toEqual([]);
  });

  it('has no cycles', () => {
    expect(findCycle()).toEqual([]);
  });

  it('names the runtime in engine/ort.ts alone', () => {
    expect(offenders((file) => file.imports.includes('onnxruntime-node'))).toEqual(['src/engine/ort.ts']);
  });

  it('keeps onnx/ to bytes and graphs', () => {
    const wrong = sources
      .filter((file) => roomOf(file.path) === 'onnx')
      .flatMap((file) => file.imports.filter((other) => /^src\/(?!onnx|vectors\/f16|errors)/.test(other)));
    expect(wrong).toEqual([]);
  });

  it('keeps client/ a leaf that runs in a browser: no other room, nothing of Node, and no room needs it', () => {
    const leaf = sources.filter((file) => roomOf(file.path) === 'client');
    expect(leaf.length).toBeGreaterThan(10);
    const allowed = /^(src\/client\/.*|src\/errors\.ts|cockatiel|zod)$/;
    const wrong = leaf.flatMap((file) => file.imports.filter((other) => !allowed.test(other)).map((other) => `${file.path} -> ${other}`));
    expect(wrong).toEqual([]);
    const ofNode = /\b(process|Buffer|__dirname|setImmediate|require)\b(?=[.(])|node:/;
    expect(leaf.filter((file) => ofNode.test(file.text)).map((file) => file.path)).toEqual([]);
    const users = offenders((file) => roomOf(file.path) !== 'client' && file.imports.some((other) => other.startsWith('src/client/')));
    expect(users).toEqual([]);
  });

  it('keeps encoder/ to graphs and numbers: no engine, no file of its own', () => {
    const wrong = sources
      .filter((file) => roomOf(file.path) === 'encoder')
      .flatMap((file) =>
        // zod checks config.json and what a graph says of itself.
        file.imports
          .filter((other) => !/^(src\/(encoder|onnx|vectors|errors)|zod$)/.test(other))
          .map((other) => `${file.path} -> ${other}`),
      );
    expect(wrong).toEqual([]);
  });

  it('keeps the passes of quantize/ pure: data in, data out', () => {
    const passes = 'activations choose divisors gate observation outlier-channels stratify weights words'.split(' ');
    const files = passes.map((name) => sources.find((file) => file.path === `src/quantize/${name}.ts`));
    const pure =
      /^src\/(encoder|vectors|evaluate|errors|quantize\/(activations|choose|divisors|gate|observation|outlier-channels|report|stratify|weights|words))/;
    const wrong = files.flatMap(
      (file) => file?.imports.filter((other) => !pure.test(other)).map((other) => `${file.path} -> ${other}`) ?? ['missing'],
    );
    expect(wrong).toEqual([]);
  });

  it('uses argv, exit, signals and the standard streams in cli/ alone', () => {
    const pattern = /process\.(argv|exit\b|exitCode|stdin|stdout|stderr|on\(|once\()|console\./;
    expect(offenders((file) => roomOf(file.path) !== 'cli' && pattern.test(file.text))).toEqual([]);
  });

  it('declares every package that it imports', () => {
    const declared = Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).dependencies);
    const used = new Set(sources.flatMap((file) => file.imports).filter((name) => !name.startsWith('src/') && !name.startsWith('node:')));
    // protobufjs is the wire format behind onnx-proto's classes; declared so that its fixed versions are what gets installed.
    expect([...used, 'protobufjs'].sort()).toEqual(declared.sort());
  });
});

function findCycle(): string[] {
  const byPath = new Map(sources.map((file) => [file.path, file]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    done.add(path);
    for (const other of byPath.get(path)?.imports ?? []) {
      const cycle = byPath.has(other) ? visit(other, [...trail, path]) : [];
      if (cycle.length > 0) return cycle;
    }
    return [];
  };
  return sources.map((file) => visit(file.path, [])).find((cycle) => cycle.length > 0) ?? [];
}
