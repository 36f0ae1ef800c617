// Where a model's time goes by operator, and the operations of its matrix products, from a profiled session of its own.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';

export const PROFILED_PASSES = 8;
// What the runtime calls products of two matrices, M x K by K x N.
const PRODUCTS = ['MatMul', 'FusedMatMul', 'Gemm', 'MatMulInteger', 'MatMulIntegerToFloat', 'DynamicQuantizeMatMul', 'FusedGemm'];

/** Opens a model as src/engine/ort.ts does, but profiled, and runs one batch; milliseconds and operations are of one pass. */
export async function profile(path, { rows, width, ids }, threads) {
  const folder = mkdtempSync(join(tmpdir(), 'embedkit-roof-'));
  env.logLevel = 'error';
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    enableMemPattern: false,
    logSeverityLevel: 3,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'run'),
    extra: { session: { intra_op: { allow_spinning: '0' }, qdq_matmulnbits_accuracy_level: '1' } },
  });
  const constant = { attention_mask: 1n, token_type_ids: 0n };
  const tensor = (input) =>
    new Tensor(
      'int64',
      BigInt64Array.from(ids, (id) => constant[input] ?? BigInt(id)),
      [rows, width],
    );
  const feeds = Object.fromEntries(session.inputNames.map((input) => [input, tensor(input)]));
  for (let pass = 0; pass <= PROFILED_PASSES; pass++) await session.run(feeds);
  session.endProfiling();
  const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), 'utf8'));
  rmSync(folder, { recursive: true });
  const nodes = events.filter((event) => event.cat === 'Node' && event.name.endsWith('_kernel_time'));
  return summed(nodes.slice(nodes.length / (PROFILED_PASSES + 1))); // the first pass allocates
}

function summed(nodes) {
  const classes = {};
  for (const { args, dur } of nodes) {
    classes[args.op_name] ??= { milliseconds: 0, nodes: 0, linear: 0, attention: 0 };
    const one = classes[args.op_name];
    const { linear = 0, attention = 0 } = operationsOf(args);
    one.milliseconds += dur / 1000 / PROFILED_PASSES;
    one.nodes += 1 / PROFILED_PASSES;
    one.linear += linear / PROFILED_PASSES;
    one.attention += attention / PROFILED_PASSES;
  }
  const total = (key) => Object.values(classes).reduce((sum, one) => sum + one[key], 0);
  return { classes, linear: total('linear'), attention: total('attention') };
}

/** Multiplications and additions of a node's products, by weights (linear) and of activations (attention); {} for any other node. */
function operationsOf({ op_name, input_type_shape, output_type_shape }) {
  const shape = (list, at) => Object.values(list[at])[0];
  const input = shape(input_type_shape, 0);
  const output = shape(output_type_shape, 0);
  if (PRODUCTS.includes(op_name)) {
    // Each value of the output is a sum over the input's last axis. (A prepacked weight is not among the inputs.)
    const count = 2 * output.reduce((a, b) => a * b) * input.at(-1);
    return output.length === 4 ? { attention: count } : { linear: count }; // rows x heads x queries x ...
  }
  const [rows, queries, hidden] = output;
  if (op_name === 'MultiHeadAttention') return { attention: 4 * rows * queries * shape(input_type_shape, 1)[1] * hidden };
  if (op_name === 'Attention' || op_name === 'QAttention') {
    return { linear: 2 * rows * queries * input.at(-1) * 3 * hidden, attention: 4 * rows * queries * queries * hidden };
  }
  return {};
}
