// Multinomial logistic regression on vectors that stay as they are, and how right its answers are. Pure; knows no texts.
import { type Matrix, rowOf } from '../vectors/matrix.js';
import { minimise, type Objective } from './lbfgs.js';

/** Weights of the classes: for each `dim` weights, then its constant. */
export interface Classifier {
  readonly classes: number;
  readonly dim: number;
  /** classes x (dim + 1). */
  readonly weights: Float64Array;
}

const STOP = { gradient: 1e-5, iterations: 1000 };

/**
 * Fits what scikit-learn's LogisticRegression fits with its defaults: the sum of the log losses plus half the squared weights, the
 * constants left free (C = 1, L2); of two classes the squared weights are those of their difference. The function is convex, so there
 * is one answer and nothing is drawn at random.
 * @param labels the class of each row, from 0
 */
export function fitLogistic(vectors: Matrix, labels: Int32Array, classes: number, stop = STOP): Classifier {
  const { dim } = vectors;
  const weights = minimise(classes * (dim + 1), lossOf(vectors, labels, classes), stop);
  return { classes, dim, weights };
}

function lossOf(vectors: Matrix, labels: Int32Array, classes: number): Objective {
  const { dim, rows } = vectors;
  const width = dim + 1;
  const shares = new Float64Array(classes);
  return (weights, gradient) => {
    gradient.fill(0);
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const vector = rowOf(vectors, row);
      const label = labels[row] as number;
      scoresOf(weights, vector, shares);
      loss += softmax(shares, label);
      for (let number = 0; number < classes; number++) {
        const error = (shares[number] as number) - (number === label ? 1 : 0);
        const start = number * width;
        for (let at = 0; at < dim; at++) gradient[start + at] = (gradient[start + at] as number) + error * (vector[at] as number);
        gradient[start + dim] = (gradient[start + dim] as number) + error;
      }
    }
    return loss + penalty(weights, gradient, width, classes === 2 ? 2 : 1);
  };
}

/** Half the squared weights but the constants, so many times; adds their slope. */
function penalty(weights: Float64Array, gradient: Float64Array, width: number, times: number): number {
  let sum = 0;
  for (let at = 0; at < weights.length; at++) {
    if (at % width === width - 1) continue;
    const weight = weights[at] as number;
    sum += weight * weight;
    gradient[at] = (gradient[at] as number) + times * weight;
  }
  return (times * sum) / 2;
}

function scoresOf(weights: Float64Array, vector: Float32Array, into: Float64Array): void {
  const width = vector.length + 1;
  for (let number = 0; number < into.length; number++) {
    const start = number * width;
    let sum = weights[start + vector.length] as number;
    for (let at = 0; at < vector.length; at++) sum += (weights[start + at] as number) * (vector[at] as number);
    into[number] = sum;
  }
}

/** Turns scores into shares of 1, in place; returns -log of that of `label`. */
function softmax(scores: Float64Array, label: number): number {
  const top = scores.reduce((a, b) => Math.max(a, b));
  const own = (scores[label] as number) - top;
  let sum = 0;
  for (let at = 0; at < scores.length; at++) {
    scores[at] = Math.exp((scores[at] as number) - top);
    sum += scores[at] as number;
  }
  for (let at = 0; at < scores.length; at++) scores[at] = (scores[at] as number) / sum;
  return Math.log(sum) - own;
}

/** The class of each row; of equally likely ones the first. */
export function classify({ weights, classes }: Classifier, vectors: Matrix): Int32Array {
  const scores = new Float64Array(classes);
  return Int32Array.from({ length: vectors.rows }, (_, row) => {
    scoresOf(weights, rowOf(vectors, row), scores);
    return scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
  });
}

/** Share of right answers. */
export function accuracyOf(predicted: Int32Array, truth: Int32Array): number {
  return predicted.filter((label, row) => label === truth[row]).length / truth.length;
}

/** Mean over the classes that occur on either side of the harmonic mean of precision and recall, as scikit-learn's macro F1. */
export function macroF1(predicted: Int32Array, truth: Int32Array): number {
  const occurring = [...new Set([...predicted, ...truth])];
  const scores = occurring.map((label) => {
    const right = truth.filter((value, row) => value === label && predicted[row] === label).length;
    const named = predicted.filter((value) => value === label).length + truth.filter((value) => value === label).length;
    return (2 * right) / named;
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
