// The angles of rotary positions, from what config.json says of them.
// Source: huggingface/transformers, modeling_rope_utils.py; Su et al. 2021, RoFormer.
import { z } from 'zod';
import type { Rotation } from '../encoder.js';
import { readFields, unsupported } from './config.js';

const rope = z.looseObject({
  rope_type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
});

/**
 * @param parameters `rope_parameters` of config.json; undefined: the default kind
 * @param size channels of a head
 * @param theta base of the angles where the parameters name none
 */
export function rotationOf(parameters: unknown, size: number, theta: number): Rotation {
  const fields = readFields({ rope_parameters: parameters ?? {} }, z.object({ rope_parameters: rope })).rope_parameters;
  const type = fields.rope_type ?? 'default';
  const plain = frequencies(fields.rope_theta ?? theta, size);
  if (type === 'default') return { frequencies: plain, factor: 1 };
  if (type === 'linear') return { frequencies: plain.map((one) => one / (fields.factor ?? 1)), factor: 1 };
  throw unsupported(`rotary positions of type ${JSON.stringify(type.slice(0, 100))}`, 'embedkit computes "default" and "linear"');
}

/** base^(-2i/size) in float32, as the source rounds it. */
export function frequencies(base: number, size: number): Float32Array {
  return Float32Array.from({ length: size / 2 }, (_, at) => 1 / Math.fround(base ** Math.fround((2 * at) / size)));
}
