// The answers of a list's requests become one, after each was checked. Pure.
import type { Answer } from './dialects/dialect.js';
import { Failure } from './failure.js';

/** Throws Failure for vectors that are too few or too many, of several lengths, not finite in float32, or all zeros. */
export function soundAnswer(answer: Answer, texts: number): Answer {
  const { vectors } = answer;
  if (vectors.length !== texts) throw wrong(`${vectors.length} vectors for ${texts} texts`);
  const dimension = vectors[0]?.length;
  for (const [index, vector] of vectors.entries()) {
    if (vector.length === 0 || vector.length !== dimension)
      throw wrong(`vector ${index} has length ${vector.length}, the first ${dimension}`);
    if (!vector.every(Number.isFinite)) throw wrong(`vector ${index} holds a value that is no finite float32`);
    if (vector.every((value) => value === 0)) throw wrong(`vector ${index} is all zeros`);
  }
  return answer;
}

/** In order. Throws Failure where not all are of the same model. */
export function joined(answers: readonly Answer[]): Answer {
  const [first] = answers as [Answer, ...Answer[]];
  const { model, fingerprint } = first;
  const vectors = answers.flatMap((answer) => answer.vectors);
  const odd = answers.find((answer) => answer.model !== model);
  if (odd !== undefined) throw wrong(`the model changed within the list, from ${model} to ${odd.model}`);
  if (answers.some((answer) => answer.fingerprint !== fingerprint)) throw wrong(`the fingerprint of ${model} changed within the list`);
  if (vectors.some(({ length }) => length !== vectors[0]?.length)) throw wrong('the length of vectors changed within the list');
  return { vectors, model, fingerprint, tokens: sumOf(answers.map(({ tokens }) => tokens)), truncated: truncatedOf(answers) };
}

function sumOf(counts: readonly (number | undefined)[]): number | undefined {
  return counts.reduce((sum, tokens) => (sum === undefined || tokens === undefined ? undefined : sum + tokens), 0);
}

function truncatedOf(answers: readonly Answer[]): number[] | undefined {
  const all: number[] = [];
  let before = 0;
  for (const { truncated, vectors } of answers) {
    if (truncated === undefined) return undefined;
    for (const index of truncated) all.push(before + index);
    before += vectors.length;
  }
  return all;
}

function wrong(message: string): Failure {
  return new Failure('wrong-answer', message);
}
