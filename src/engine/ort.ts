// The engine on ONNX Runtime: the only file that names the runtime.
import './no-telemetry.js';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { EmbedkitError, wrapError } from '../errors.js';
import type { Engine, EngineInput, EngineOptions, EngineOutput, GraphRunner, ProfiledEngine } from './contract.js';

type IntType = 'int64' | 'int32';

/** What a graph input is fed with: the ids, or one value for every token. */
type Feed = 'ids' | 0 | 1;

interface InputSlot {
  readonly name: string;
  readonly type: IntType;
  readonly feed: Feed;
}

const FEEDS: Record<string, Feed> = { input_ids: 'ids', attention_mask: 1, token_type_ids: 0, segment_ids: 0, input_mask: 1 };

/** EngineOptions.weights -> session settings. Source: onnxruntime_session_options_config_keys.h. */
const SETTINGS = { packed: {}, 'as-stored': { disable_prepacking: '1' } } as const;

/** Opens an ONNX file. Throws `model-invalid` or `model-unsupported`. */
export async function openOrt(path: string, options: EngineOptions): Promise<Engine> {
  return engineOf(path, await createSession(path, options.threads, {}, SETTINGS[options.weights ?? 'packed']), options);
}

/** Like openOrt, with every node timed into a file (Chrome's trace events, JSON) whose path begins with `prefix`. Slower than openOrt. */
export async function openProfiled(path: string, options: EngineOptions, prefix: string): Promise<ProfiledEngine> {
  const session = await createSession(path, options.threads, { enableProfiling: true, profileFilePrefix: prefix });
  return { ...engineOf(path, session, options), finishProfile: () => session.endProfiling() };
}

function engineOf(path: string, session: InferenceSession, options: EngineOptions): Engine {
  const slots = session.inputMetadata.map(inputSlot);
  const output = options.output ?? session.outputNames[0] ?? '';
  if (!session.outputNames.includes(output)) {
    throw new EmbedkitError('model-unsupported', `${path}: no output "${output}"`, { hint: `it has ${session.outputNames.join(', ')}` });
  }
  const buffers = new TokenBuffers();
  return {
    run: (input) => run(session, slots, output, buffers, input),
    close: () => session.release(),
  };
}

/** Opens any graph, from a file or from its bytes. Throws `model-invalid`. */
export async function openGraph(
  source: string | Uint8Array,
  threads: number,
  weights: keyof typeof SETTINGS = 'packed',
): Promise<GraphRunner> {
  const session = await createSession(source, threads, {}, SETTINGS[weights]);
  return {
    run: async (feeds) => {
      const tensors = Object.entries(feeds).map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)]);
      const results = await session.run(Object.fromEntries(tensors));
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]));
    },
    close: () => session.release(),
  };
}

async function createSession(
  source: string | Uint8Array,
  threads: number,
  more: InferenceSession.SessionOptions = {},
  settings: Readonly<Record<string, unknown>> = {},
): Promise<InferenceSession> {
  env.logLevel = 'error';
  const path = typeof source === 'string' ? source : 'a graph made here';
  try {
    // The binding takes a path or bytes by different overloads.
    return await InferenceSession.create(source as string, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Batches come in hundreds of shapes: a plan remembered for each would make memory grow with the corpus.
      enableMemPattern: false,
      // Constant 8-bit weights behind a DequantizeLinear stay fp32 products; by default the runtime would round the activations to int8.
      extra: { session: { intra_op: { allow_spinning: '0' }, qdq_matmulnbits_accuracy_level: '1', ...settings } },
      logSeverityLevel: 3,
      ...more,
    });
  } catch (error) {
    throw wrapError(error, 'model-invalid', `${path}: the runtime cannot load it`, 'export the model again');
  }
}

function inputSlot(metadata: InferenceSession.ValueMetadata): InputSlot {
  const feed = FEEDS[metadata.name];
  const type = metadata.isTensor ? metadata.type : undefined;
  if (feed !== undefined && (type === 'int64' || type === 'int32')) return { name: metadata.name, type, feed };
  const hint = `embedkit feeds ${Object.keys(FEEDS).join(', ')} as whole numbers`;
  throw new EmbedkitError('model-unsupported', `the model wants an input "${metadata.name}" (${type ?? 'not a tensor'})`, { hint });
}

async function run(
  session: InferenceSession,
  slots: readonly InputSlot[],
  output: string,
  buffers: TokenBuffers,
  input: EngineInput,
): Promise<EngineOutput> {
  const dims = [input.rows, input.width];
  const feeds = Object.fromEntries(slots.map((slot) => [slot.name, new Tensor(slot.type, buffers.fill(slot, input), dims)]));
  // Outputs are not preallocated: the binding (1.30) fills memory given as a fetch and still returns a tensor of its own, so
  // nothing is saved; measured, neither speed nor peak memory changed.
  const results = await session.run(feeds, [output]);
  const tensor = results[output];
  if (tensor?.type !== 'float32') {
    throw new EmbedkitError('model-unsupported', `output "${output}" is ${tensor?.type ?? 'absent'}, not float32`, {
      hint: 'export the model with outputs in float32',
    });
  }
  return { hidden: tensor.data as Float32Array, dims: tensor.dims };
}

/** Input tensors' memory, allocated once for each input and reused by every run; grown when a batch is larger. */
class TokenBuffers {
  private readonly held = new Map<string, Int32Array<ArrayBuffer>>();

  /** A view of exactly the batch's size, holding what the slot is fed with. */
  fill(slot: InputSlot, input: EngineInput): BigInt64Array | Int32Array {
    const tokens = input.rows * input.width;
    // An int64 is written as its low word over a zero high word: ids are non-negative, and a BigInt a token is slow.
    const words = slot.type === 'int64' ? 2 : 1;
    const buffer = this.reserve(slot, tokens * words, words);
    if (slot.feed === 'ids') for (let token = 0; token < tokens; token++) buffer[token * words] = input.ids[token] as number;
    return words === 2 ? new BigInt64Array(buffer.buffer, 0, tokens) : buffer.subarray(0, tokens);
  }

  private reserve(slot: InputSlot, length: number, words: number): Int32Array<ArrayBuffer> {
    const held = this.held.get(slot.name);
    if (held !== undefined && held.length >= length) return held;
    const larger = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(length, 1024))));
    if (slot.feed === 1) for (let index = 0; index < larger.length; index += words) larger[index] = 1;
    this.held.set(slot.name, larger);
    return larger;
  }
}
