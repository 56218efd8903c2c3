/**
 * Area under the ROC curve: how often a late flight is given a higher score than a punctual one, ties counting half.
 * NaN when all flights are late or none is.
 */
export function auc(scores: ArrayLike<number>, late: ArrayLike<number>): number {
  const order = Uint32Array.from({ length: scores.length }, (_, row) => row).sort((a, b) => scores[a]! - scores[b]!);
  let positives = 0;
  let rankSum = 0;
  for (let start = 0, stop = 0; start < order.length; start = stop) {
    while (stop < order.length && scores[order[stop]!] === scores[order[start]!]) stop++;
    // Equal scores share the mean of their ranks.
    const rank = (start + stop + 1) / 2;
    for (let place = start; place < stop; place++) {
      if (late[order[place]!]) {
        positives++;
        rankSum += rank;
      }
    }
  }
  const negatives = order.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Mean negative log likelihood in nats; a probability of 0 or 1 counts as 1e-12 away from it. */
export function logLoss(probabilities: ArrayLike<number>, late: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < late.length; row++) {
    const p = late[row] ? probabilities[row]! : 1 - probabilities[row]!;
    sum -= Math.log(Math.max(p, 1e-12));
  }
  return sum / late.length;
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < values.length; row++) sum += values[row]!;
  return sum / values.length;
}

export function round(value: number, digits = 4): number {
  return Number(value.toFixed(digits));
}
