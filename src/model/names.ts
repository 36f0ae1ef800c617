// The names that models and their files go by.

/** The model used where none is named; shipped with the package. */
export const DEFAULT_MODEL = 'bge-small-en-v1.5';
export const MANIFEST_NAME = 'embedkit.json';
export const TOKENIZER_NAME = 'tokenizer.json';
