import { Matrix, solve } from 'ml-matrix';
import type { Design } from './encode.ts';

/** A fitted logistic regression; plain JSON. `weights` are for standardised terms, so their sizes can be compared. */
export interface LogisticModel {
  readonly terms: readonly string[];
  readonly means: readonly number[];
  readonly scales: readonly number[];
  readonly intercept: number;
  readonly weights: readonly number[];
}

const MAX_ITERATIONS = 25;

/**
 * Fits by Newton's method with a ridge penalty `l2` on the weights (not on the intercept); deterministic.
 * A term that never varies gets no weight. Throws when it does not converge.
 */
export function fitLogistic({ terms, matrix }: Design, late: Float64Array, l2: number): LogisticModel {
  const means = matrix.mean('column');
  const scales = matrix.standardDeviation('column', { mean: means, unbiased: false }).map((scale) => (scale > 1e-9 ? scale : 1));
  const standardised = matrix.clone().subRowVector(means).divRowVector(scales);
  const rows = Array.from({ length: matrix.rows }, (_, row) => Float64Array.from([...standardised.getRow(row), 1]));
  const penalty = Matrix.eye(terms.length + 1, terms.length + 1, l2);
  penalty.set(terms.length, terms.length, 0);

  const weights = Matrix.zeros(terms.length + 1, 1);
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const { gradient, curvature } = slopes(rows, late, weights.to1DArray());
    const change = solve(curvature.add(penalty), gradient.sub(penalty.mmul(weights)));
    weights.add(change);
    if (Matrix.abs(change).max() < 1e-5) {
      const fitted = weights.to1DArray();
      return { terms, means, scales, intercept: fitted.pop()!, weights: fitted };
    }
  }
  throw new Error(`The model did not converge within ${MAX_ITERATIONS} iterations; raise the penalty (now ${l2}).`);
}

/** Probability of being late for each row of a design with the model's own terms. */
export function predict(model: LogisticModel, { terms, matrix }: Design): Float64Array {
  if (terms.join() !== model.terms.join()) {
    throw new Error(`The model was fitted on [${model.terms.join(', ')}] and cannot judge [${terms.join(', ')}].`);
  }
  const perUnit = model.weights.map((weight, term) => weight / model.scales[term]!);
  const offset = perUnit.reduce((sum, weight, term) => sum - weight * model.means[term]!, model.intercept);
  const scores = matrix.mmul(Matrix.columnVector(perUnit));
  return Float64Array.from({ length: matrix.rows }, (_, row) => sigmoid(scores.get(row, 0) + offset));
}

/**
 * First and second derivative of the log likelihood at `weights`. Written as one pass over the rows: the products of whole
 * matrices that say the same take ten times as long, because each builds a copy of all rows.
 */
function slopes(
  rows: readonly Float64Array[],
  late: Float64Array,
  weights: readonly number[],
): { readonly gradient: Matrix; readonly curvature: Matrix } {
  const width = weights.length;
  const gradient = new Float64Array(width);
  const curvature = Array.from({ length: width }, () => new Float64Array(width));
  for (const [index, row] of rows.entries()) {
    let z = 0;
    for (let a = 0; a < width; a++) z += weights[a]! * row[a]!;
    const probability = sigmoid(z);
    const error = late[index]! - probability;
    const certainty = probability * (1 - probability);
    for (let a = 0; a < width; a++) {
      gradient[a]! += error * row[a]!;
      const scaled = certainty * row[a]!;
      const line = curvature[a]!;
      for (let b = 0; b <= a; b++) line[b]! += scaled * row[b]!;
    }
  }
  for (let a = 0; a < width; a++) for (let b = 0; b < a; b++) curvature[b]![a] = curvature[a]![b]!;
  return { gradient: Matrix.columnVector(gradient), curvature: new Matrix(curvature) };
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}
