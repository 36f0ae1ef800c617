// How places enter attention, as graph nodes: angles of rotation, and what is added to query-key products.
import type { GraphBuilder } from '../onnx/build.js';
import { DATA_TYPE } from '../onnx/proto.js';
import type { Places } from './encoder.js';

/** Sines and cosines, width x size/2. */
export interface Angles {
  readonly cos: string;
  readonly sin: string;
}

export interface EmittedPlaces {
  readonly angles?: Angles;
  /** 1 x (heads or 1) x queries x width. */
  readonly bias?: string;
}

export interface PlacesRequest {
  /** Unique to the places and to `firstOnly`. */
  readonly name: string;
  /** A value of one element: the number of tokens. */
  readonly width: string;
  /** Whether the first token alone asks. */
  readonly firstOnly: boolean;
}

// Scores that softmax makes zero, and that no sum turns into an infinity.
const UNSEEN = -1e30;

export function emitPlaces(graph: GraphBuilder, places: Places, request: PlacesRequest): EmittedPlaces {
  const { name } = request;
  const count = emitCount(graph, request);
  const { rotation, distances, window } = places;
  const distance = distances === undefined && window === undefined ? undefined : emitDistance(graph, request, count);
  const parts: string[] = [];
  if (distance !== undefined && distances !== undefined) parts.push(emitByDistance(graph, name, distance, distances));
  if (distance !== undefined && window !== undefined) parts.push(emitWindow(graph, name, distance, window));
  const [first, second] = parts;
  const bias = second === undefined ? first : graph.node('Add', `${name}.bias`, [first, second]);
  const angles = rotation === undefined ? undefined : emitAngles(graph, name, count, rotation);
  return { ...(angles === undefined ? {} : { angles }), ...(bias === undefined ? {} : { bias }) };
}

/** 0, 1, ... width - 1. */
function emitCount(graph: GraphBuilder, { name, width }: PlacesRequest): string {
  const scalars = ['zero', 'one'].map((one) => graph.node('Squeeze', `${name}.${one}`, [one]));
  const end = graph.node('Squeeze', `${name}.width`, [width]);
  return graph.node('Range', `${name}.count`, [scalars[0], end, scalars[1]]);
}

/** queries x width: place of the key minus place of the query. */
function emitDistance(graph: GraphBuilder, { name, firstOnly }: PlacesRequest, count: string): string {
  const keys = graph.node('Unsqueeze', `${name}.keys`, [count, 'zero']);
  if (firstOnly) return keys;
  return graph.node('Sub', `${name}.distance`, [keys, graph.node('Unsqueeze', `${name}.queries`, [count, 'one'])]);
}

function emitByDistance(graph: GraphBuilder, name: string, distance: string, { reach, data }: NonNullable<Places['distances']>): string {
  graph.constant(`${name}.by_distance`, data, [data.length / (2 * reach + 1), 2 * reach + 1]);
  const columns = graph.node('Add', `${name}.columns`, [distance, graph.integers(`${name}.reach`, [reach])]);
  const gathered = graph.node('Gather', `${name}.gathered`, [`${name}.by_distance`, columns], { attributes: { axis: 1 } });
  return graph.node('Unsqueeze', `${name}.distances`, [gathered, 'zero']);
}

function emitWindow(graph: GraphBuilder, name: string, distance: string, window: number): string {
  const apart = graph.node('Abs', `${name}.apart`, [distance]);
  const far = graph.node('Greater', `${name}.far`, [apart, graph.integers(`${name}.farthest`, [window])]);
  const mask = graph.node('Where', `${name}.mask`, [far, graph.scalar(`${name}.unseen`, UNSEEN), graph.scalar(`${name}.seen`, 0)]);
  return graph.node('Unsqueeze', `${name}.window`, [mask, graph.integers(`${name}.axes`, [0, 1])]);
}

function emitAngles(graph: GraphBuilder, name: string, count: string, rotation: NonNullable<Places['rotation']>): Angles {
  // As doubles, which storing weights in FP16 leaves alone: an error here grows with the place.
  graph.constant(`${name}.frequencies`, Float64Array.from(rotation.frequencies), [1, rotation.frequencies.length]);
  const toFloat = { attributes: { to: DATA_TYPE.FLOAT } };
  const frequencies = graph.node('Cast', `${name}.frequencies_float`, [`${name}.frequencies`], toFloat);
  const floats = graph.node('Cast', `${name}.count_float`, [count], toFloat);
  const column = graph.node('Unsqueeze', `${name}.column`, [floats, 'one']);
  const angles = graph.node('Mul', `${name}.angles`, [column, frequencies]);
  const scaled = (kind: 'Cos' | 'Sin'): string => {
    const value = graph.node(kind, `${name}.${kind.toLowerCase()}`, [angles]);
    if (rotation.factor === 1) return value;
    return graph.node('Mul', `${name}.${kind.toLowerCase()}_scaled`, [value, graph.scalar(`${name}.${kind}_factor`, rotation.factor)]);
  };
  return { cos: scaled('Cos'), sin: scaled('Sin') };
}
