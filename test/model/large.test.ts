// A model of more than 2 GB in total. It writes 3.5 GB, so it runs only with TEST_LARGE=1, as in .ci/run.
import { closeSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportModel } from '#src/model/export.js';
import { openFolder } from '#src/model/folder.js';
import { runModel } from '#src/model/probe.js';
import { DATA_TYPE } from '#src/onnx/proto.js';
import { DIM, makeExternal, node, tinyModel, writeTiny } from '../onnx/tiny.js';
import { temporaryFolder } from '../run.js';

const ROWS = 75_000_000;
const BYTES = ROWS * DIM * 2 * 4;

describe.runIf(process.env.TEST_LARGE === '1')('more than 2 GB', () => {
  it(`exports two tables of ${BYTES / 2} bytes to FP16 beside the model, and both are right`, async () => {
    expect(BYTES).toBeGreaterThan(2 ** 31);
    const folder = temporaryFolder();
    const model = tinyModel({
      edit: (graph) => {
        const [table] = graph.initializer as [object];
        Object.assign(table, { dims: [ROWS, DIM] });
        makeExternal(table, 'first.bin', BYTES / 2);
        const second = { name: 'embed.second', dims: [ROWS, DIM], dataType: DATA_TYPE.FLOAT };
        makeExternal(second, 'second.bin', BYTES / 2);
        graph.initializer?.push(second);
        (graph.node?.[1] as { output: string[] }).output = ['scaled'];
        graph.node?.push(
          node('Gather', 'look_up_second', ['embed.second', 'input_ids'], ['more']),
          node('Add', 'sum', ['scaled', 'more'], ['last_hidden_state']),
        );
      },
    });
    const source = writeTiny(join(folder, 'source'), model);
    sparseTable(join(source, 'first.bin'), 5, [10, 20, 30, 40]);
    sparseTable(join(source, 'second.bin'), 5, [1, 2, 3, 4]);
    const { manifest } = await exportModel(source, join(folder, 'out'), { dtype: 'fp16', pooling: 'mean', inlineLimitBytes: 1e9 });
    expect(manifest.weights).toMatchObject({ total: ROWS * DIM * 2, exact: ROWS * DIM * 2 });
    expect(manifest.files['model.fp16.onnx.data']?.bytes).toBeGreaterThanOrEqual(BYTES / 2);
    const { modelPath } = await openFolder(join(folder, 'out'));
    const [probe] = await runModel(modelPath, 'last_hidden_state', [{ ids: Int32Array.of(5), rows: 1, width: 1 }]);
    expect([...(probe?.values ?? [])].map((value) => Math.round(value * 1e5) / 1e5)).toEqual([2, 4, 6, 8]);
  }, 600_000);
});

/** A table of zeros but for one row; a sparse file takes no room on disk. */
function sparseTable(path: string, row: number, values: number[]): void {
  const file = openSync(path, 'w');
  writeSync(file, new Uint8Array(Float32Array.from(values).buffer), 0, DIM * 4, row * DIM * 4);
  closeSync(file);
  truncateSync(path, BYTES / 2);
  expect(statSync(path).size).toBe(BYTES / 2);
}
