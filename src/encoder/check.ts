// Whether an encoder's sizes agree and its weights are finite; says nothing about what it computes.
import { EmbedkitError } from '../errors.js';
import type { Encoder, EncoderLayer, LayerNorm, Linear, Places, Table } from './encoder.js';

/** Throws `model-invalid` where sizes contradict each other or a weight is NaN or infinite. */
export function checkEncoder(encoder: Encoder): void {
  const { hidden, heads, scale } = encoder;
  checkTable('the word table', encoder.words, hidden);
  if (encoder.positions !== undefined) checkTable('the table of positions', encoder.positions, hidden);
  if (encoder.types !== undefined) checkValues('the token type', encoder.types, hidden);
  if (!(heads >= 1 && hidden % heads === 0)) throw invalid(`${heads} heads do not divide a width of ${hidden}`);
  if (!Number.isFinite(scale)) throw invalid(`attention is scaled by ${scale}`);
  checkNorm('the embedding', encoder.embeddingNorm, hidden);
  encoder.layers.forEach((layer, at) => {
    checkLayer(layer, `of layer ${at}`, encoder);
  });
  if (encoder.finalNorm !== undefined) checkNorm('the end', encoder.finalNorm, hidden);
}

function checkLayer(layer: EncoderLayer, where: string, encoder: Encoder): void {
  const { hidden, inner } = encoder;
  for (const name of ['query', 'key', 'value', 'output'] as const) checkLinear(`${name} ${where}`, layer[name], hidden, hidden);
  checkLinear(`up ${where}`, layer.up, hidden, inner);
  if (layer.gate !== undefined) checkLinear(`gate ${where}`, layer.gate, hidden, inner);
  checkLinear(`down ${where}`, layer.down, inner, hidden);
  if (layer.attentionNorm !== undefined) checkNorm(`attention ${where}`, layer.attentionNorm, hidden);
  checkNorm(`the output ${where}`, layer.outputNorm, hidden);
  if (layer.places !== undefined) checkPlaces(where, layer.places, encoder);
}

function checkPlaces(where: string, { rotation, distances }: Places, { hidden, heads }: Encoder): void {
  if (rotation !== undefined) checkValues(`the rotation ${where}`, rotation.frequencies, hidden / heads / 2);
  if (distances !== undefined) checkValues(`the distances ${where}`, distances.data, heads * (2 * distances.reach + 1));
}

function checkTable(what: string, { rows, dim, data }: Table, hidden: number): void {
  if (!(rows >= 1) || dim !== hidden) throw invalid(`${what} has ${rows} rows of ${dim} values where the width is ${hidden}`);
  checkValues(what, data, rows * dim);
}

function checkLinear(what: string, { inputs, outputs, weight, bias }: Linear, from: number, to: number): void {
  if (inputs !== from || outputs !== to) throw invalid(`${what} maps ${inputs} to ${outputs} values where ${from} to ${to} are due`);
  checkValues(`the weights of ${what}`, weight, inputs * outputs);
  checkValues(`the bias of ${what}`, bias, outputs);
}

function checkNorm(what: string, { gamma, beta, epsilon }: LayerNorm, hidden: number): void {
  if (!(epsilon >= 0)) throw invalid(`the normalisation of ${what} has an epsilon of ${epsilon}`);
  checkValues(`the scales of the normalisation of ${what}`, gamma, hidden);
  checkValues(`the shifts of the normalisation of ${what}`, beta, hidden);
}

function checkValues(what: string, values: Float32Array, count: number): void {
  if (values.length !== count) throw invalid(`${what} has ${values.length} values, not ${count}`);
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw invalid(`${what} holds ${values[at]} at place ${at}`);
}

function invalid(found: string): EmbedkitError {
  return new EmbedkitError('model-invalid', found, { hint: 'fetch or export the model again' });
}
