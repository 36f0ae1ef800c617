// What encoder/ hands on: a text encoder of the BERT family and its descendants as plain data, its architecture and its weights; no graph, no file.
// Sources: Devlin et al. 2018, BERT; Song et al. 2020, MPNet (distances); Su et al. 2021, RoFormer (rotation); Shazeer 2020, GLU variants
// (gate); Warner et al. 2024, ModernBERT (normalisation before, windows).

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

/** gelu is the exact one, x/2 (1 + erf(x / sqrt 2)); gelu-tanh its usual approximation; silu is x / (1 + exp(-x)). */
export type Activation = 'gelu' | 'gelu-tanh' | 'relu' | 'silu';

/** Query and key turned by angles that grow with the token's place: channel i of a head with channel i + size/2. */
export interface Rotation {
  /** size/2 values: radians a token. */
  readonly frequencies: Float32Array;
  /** What sines and cosines are multiplied by. */
  readonly factor: number;
}

/** What is added to scaled query-key products by how far the key stands behind the query. */
export interface Distances {
  /** Farthest distance with a value, both ways. */
  readonly reach: number;
  /** heads x (2 reach + 1), row-major: distance d is in column reach + d. */
  readonly data: Float32Array;
}

/** How the places of two tokens enter their attention. Layers that do it alike share one object. */
export interface Places {
  readonly rotation?: Rotation;
  readonly distances?: Distances;
  /** Tokens farther apart than this do not see each other. */
  readonly window?: number;
}

/**
 * Normalised after (order `post`):
 * a = attentionNorm(x + output(attention(query(x), key(x), value(x))))
 * y = outputNorm(a + down(activation(up(a)) * gate(a)))
 * Normalised before (`pre`), n = attentionNorm(x) or x itself:
 * a = x + output(attention(query(n), key(n), value(n)))
 * y = a + down(activation(up(m)) * gate(m)), m = outputNorm(a)
 */
export interface EncoderLayer {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  /** Undefined only where normalisation comes before: the first layer of ModernBERT reads the embedding as it is. */
  readonly attentionNorm: LayerNorm | undefined;
  readonly up: Linear;
  /** Undefined: nothing is multiplied. */
  readonly gate?: Linear;
  readonly down: Linear;
  readonly outputNorm: LayerNorm;
  readonly places?: Places;
}

export interface Encoder {
  /** Width of a token's vector. */
  readonly hidden: number;
  readonly heads: number;
  /** Where layers normalise: after each sum, or what goes into each branch. Undefined: post. */
  readonly order?: 'post' | 'pre';
  /** Width between up and down. */
  readonly inner: number;
  readonly activation: Activation;
  /** What query-key products are multiplied by before softmax: 1 / sqrt(hidden / heads) as a rule. */
  readonly scale: number;
  readonly words: Table;
  /**
   * Row i belongs to the i-th token of a text. Rows that the source skips (RoBERTa's padding offset) are left out. Undefined
   * where attention alone knows places.
   */
  readonly positions: Table | undefined;
  /**
   * Row 0 of the token types, the only one that embedkit feeds: added to every token. An encoder read off a graph has it in
   * its positions already, where it has any.
   */
  readonly types?: Float32Array;
  readonly embeddingNorm: LayerNorm;
  readonly layers: readonly EncoderLayer[];
  /** What ends a `pre` encoder. */
  readonly finalNorm?: LayerNorm;
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
