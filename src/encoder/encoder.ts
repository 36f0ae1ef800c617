// What encoder/ hands on: a BERT-family text encoder as plain data, its architecture and its weights; no graph, no file.
// Source: Devlin et al. 2018, BERT; post-layer-normalisation as in Vaswani et al. 2017.

/** y = x W + b. */
export interface Linear {
  readonly inputs: number;
  readonly outputs: number;
  /** inputs x outputs, row-major. */
  readonly weight: Float32Array;
  /** outputs values; zeros where the model has no bias. */
  readonly bias: Float32Array;
}

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta, over the last axis. */
export interface LayerNorm {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly epsilon: number;
}

/** rows x dim values, row-major. */
export interface Table {
  readonly rows: number;
  readonly dim: number;
  readonly data: Float32Array;
}

/** gelu is the exact one, x/2 (1 + erf(x / sqrt 2)); gelu-tanh its usual approximation. */
export type Activation = 'gelu' | 'gelu-tanh' | 'relu';

/**
 * a = attentionNorm(x + output(attention(query(x), key(x), value(x))))
 * y = outputNorm(a + down(activation(up(a))))
 */
export interface EncoderLayer {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  readonly attentionNorm: LayerNorm;
  readonly up: Linear;
  readonly down: Linear;
  readonly outputNorm: LayerNorm;
}

export interface Encoder {
  /** Width of a token's vector. */
  readonly hidden: number;
  readonly heads: number;
  /** Width between up and down. */
  readonly inner: number;
  readonly activation: Activation;
  /** What query-key products are multiplied by before softmax: 1 / sqrt(hidden / heads) as a rule. */
  readonly scale: number;
  readonly words: Table;
  /**
   * Row i belongs to the i-th token of a text. Rows that the source skips (RoBERTa's padding offset) are left out, and
   * row 0 of the token type table, where there is one, is added to every row: embedkit feeds type 0 alone.
   */
  readonly positions: Table;
  readonly embeddingNorm: LayerNorm;
  readonly layers: readonly EncoderLayer[];
}

/** An encoder found in a graph, and what the graph does to its last hidden states. */
export interface Recognised {
  readonly encoder: Encoder;
  /**
   * `hidden`: the graph gives rows x width x hidden. Otherwise it pools by itself and gives rows x hidden: how is not
   * read off the graph but proven by trying, so this only says that it does.
   */
  readonly head: 'hidden' | 'pooled';
}
