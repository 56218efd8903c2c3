import type { ReadDeclaration } from '#core';
import type { TaskShape } from '../shape/task-shape.ts';
import type { Path } from '../source/source-map.ts';

/** A task on its way from shape to compiled form: known by name, its links to others being found. */
export interface TaskNode {
  readonly id: string;
  /** Under `first:`. */
  readonly first: boolean;
  /** Under `finally:`. */
  readonly final: boolean;
  /** Under `groups:`; null: in none, or in one that does not exist. */
  readonly group: string | null;
  readonly path: Path;
  /** Null: the shape has faults, which are reported already. */
  readonly shape: TaskShape | null;
  readonly reads: readonly ReadDeclaration[];
  readonly writes: readonly string[];
}
