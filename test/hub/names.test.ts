// Names of the hub, and which files of a model are chosen: pure functions, over many inputs.
import { join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkPaths, idOfFolder, linkTarget, repoFolder } from '#src/hub/layout.js';
import { hubName, parseHubName, written } from '#src/hub/name.js';
import { selectFiles } from '#src/hub/select.js';
import { fc } from '../properties.js';

const FORMS = ['safetensors', 'onnx'] as const;
const PLAIN = { modules: [], forms: FORMS };
const SETTINGS = ['config.json', 'tokenizer.json'];

describe('a name', () => {
  it.each([
    'plain-name',
    'a/b/c',
    '../x',
    'org/../x',
    'org/..',
    'org/na--me',
    'org/name@',
    'org/name@../../x',
    'org/name@a//b',
    'org/name@/etc',
    '/org/name',
    'org/na me',
    'org/name@a b',
    '',
  ])('%j is refused', (text) => {
    expect(parseHubName(text)).toBeUndefined();
    expect(() => hubName(text)).toThrow(expect.objectContaining({ code: 'usage', hint: expect.stringMatching(/ORG\/NAME/) }));
  });

  it.each(['BAAI/bge-small-en-v1.5', 'a/b', 'org/name@main', 'org/name@refs/pr/1', `org/name@${'a'.repeat(40)}`, 'org/na_me.x@v1.0+x'])(
    '%j is one',
    (text) => {
      expect(written(hubName(text))).toBe(text);
    },
  );

  it('leads nowhere but into the cache, and back from there', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aZ0._-/@ \\') }), (text) => {
        const name = parseHubName(text);
        if (name === undefined) return;
        const repo = repoFolder('/cache', name.id);
        expect(normalize(repo.path)).toMatch(/^\/cache\/models--[^/]+$/);
        expect(idOfFolder(repo.path.slice('/cache/'.length))).toBe(name.id);
        if (name.revision !== undefined) expect(normalize(join(repo.refs, name.revision)).startsWith(`${repo.refs}/`)).toBe(true);
      }),
    );
  });
});

describe('paths of a list', () => {
  it('that pass stay inside the folder, and their links lead to the blob', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.constantFrom(...'ab./\\:\u0001') }), { maxLength: 4 }), (paths) => {
        try {
          checkPaths('o/n', paths);
        } catch {
          return;
        }
        for (const path of paths) {
          const link = join('/r/snapshots/c', path);
          expect(link).toBe(`/r/snapshots/c/${path}`);
          expect(join(link, '..', linkTarget(link, '/r/blobs/x'))).toBe('/r/blobs/x');
        }
      }),
    );
  });
});

describe('the files chosen', () => {
  it.each([
    [
      'one file of weights',
      [...SETTINGS, 'model.safetensors', 'onnx/model.onnx', 'model.onnx'],
      PLAIN,
      'model.safetensors',
      ['model.safetensors'],
    ],
    [
      'ONNX where that is asked for',
      [
        ...SETTINGS,
        'model.safetensors',
        'onnx/model.onnx',
        'onnx/model.onnx_data',
        'onnx/model.onnx_data_1',
        'onnx/model_fp16.onnx',
        'onnx/model.onnx.md',
      ],
      { modules: [], forms: ['onnx'] },
      'onnx/model.onnx',
      ['onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model.onnx_data_1'],
    ],
    [
      'ONNX where there is nothing else',
      [...SETTINGS, 'model.onnx', 'model.onnx.data'],
      PLAIN,
      'model.onnx',
      ['model.onnx', 'model.onnx.data'],
    ],
    [
      'shards with their index',
      [
        ...SETTINGS,
        'model.safetensors.index.json',
        'model-00001-of-00002.safetensors',
        'model-00002-of-00002.safetensors',
        'x/model-00001-of-00002.safetensors',
      ],
      PLAIN,
      'model.safetensors.index.json',
      ['model.safetensors.index.json', 'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
    ],
    [
      'a transformer in a folder of its own',
      [
        'modules.json',
        '0_T/config.json',
        '0_T/tokenizer.json',
        '0_T/model.safetensors',
        '1_P/config.json',
        '2_D/config.json',
        '2_D/model.safetensors',
        '2_D/pytorch_model.bin',
        'model.safetensors',
      ],
      { modules: ['0_T', '1_P', '2_D'], forms: FORMS },
      '0_T/model.safetensors',
      [
        'modules.json',
        '0_T/config.json',
        '0_T/tokenizer.json',
        '0_T/model.safetensors',
        '1_P/config.json',
        '2_D/config.json',
        '2_D/model.safetensors',
      ],
    ],
    [
      'a model folder as it is',
      ['embedkit.json', 'tokenizer.json', 'model.int8.onnx', 'model.fp32.onnx.data', 'README.md', 'x/y.json'],
      PLAIN,
      'embedkit.json',
      ['embedkit.json', 'model.int8.onnx', 'model.fp32.onnx.data'],
    ],
  ] as const)('%s', (_, paths, wish, main, chosen) => {
    const selection = selectFiles('o/n', paths, wish);
    expect(selection.main).toBe(main);
    const settings = paths.filter((path) => SETTINGS.includes(path));
    expect([...selection.paths].sort()).toEqual([...new Set([...settings, ...chosen])].sort());
  });

  it.each([
    ['a shard that is missing', [...SETTINGS, 'model.safetensors.index.json', 'model-00001-of-00002.safetensors']],
    ['shards without an index', [...SETTINGS, 'model-00001-of-00001.safetensors']],
  ])('%s is no model', (_, paths) => {
    expect(() => selectFiles('o/n', paths, PLAIN)).toThrow(expect.objectContaining({ code: 'model-unsupported' }));
  });
});
