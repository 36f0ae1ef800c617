// The names that models and their files go by.

/** The model used where none is named; shipped with the package. */
export const DEFAULT_MODEL = 'bge-small-en-v1.5';
export const MANIFEST_NAME = 'embedkit.json';
export const TOKENIZER_NAME = 'tokenizer.json';
/** Weights of the linear maps after pooling. */
export const DENSE_NAME = 'dense.safetensors';
/** What transformers says of a model. */
export const CONFIG_NAME = 'config.json';
/** The INT8 model of a folder. */
export const INT8_NAME = 'model.int8.onnx';

/** Arithmetic that a model is run in, the default first. */
export const PRECISIONS = ['int8', 'fp32'] as const;
export type Precision = (typeof PRECISIONS)[number];
