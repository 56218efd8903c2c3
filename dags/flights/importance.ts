import { columnsOf, encode, type Column, type Examples, type View } from './encode.ts';
import { predict, type LogisticModel } from './logistic.ts';
import { auc } from './measures.ts';

/** How much of the AUC is lost when one column is shuffled among the flights, the largest loss first. */
export interface Importance {
  readonly column: Column;
  readonly aucLost: number;
}

/** Permutation importance; the shuffle is seeded, so the same flights give the same numbers. */
export function permutationImportance(model: LogisticModel, view: View, examples: Examples): readonly Importance[] {
  const full = auc(predict(model, encode(view, examples)), examples.late);
  return columnsOf(view)
    .map((column) => {
      const columns = { ...examples.columns, [column]: shuffled(examples.columns[column]) };
      return { column, aucLost: full - auc(predict(model, encode(view, { ...examples, columns })), examples.late) };
    })
    .sort((a, b) => b.aucLost - a.aucLost);
}

function shuffled(values: Float64Array): Float64Array {
  const copy = values.slice();
  let state = 1;
  for (let last = copy.length - 1; last > 0; last--) {
    // The "minimal standard" generator: small, and exact in doubles.
    state = (state * 48_271) % 2_147_483_647;
    const other = state % (last + 1);
    [copy[last], copy[other]] = [copy[other]!, copy[last]!];
  }
  return copy;
}
