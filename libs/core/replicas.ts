/**
 * How many processes execute an attempt of a task together: they begin together, or none does. An attempt has as many
 * as there is room for, and goes on while `min` of them are left.
 */
export interface Replicas {
  readonly min: number;
  readonly max: number;
}

/** Of a task that says nothing of replicas. */
export const ALONE: Replicas = { min: 1, max: 1 };
