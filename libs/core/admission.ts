/** A ready task run that asks for slots of a pool. */
export interface Applicant {
  readonly slots: number;
}

/**
 * Chooses which applicants get slots, given in the order of their claim (priority, then older interval, then map index).
 * Exact: never more than `free`. No starvation: while the first applicant that does not fit waits, smaller ones behind it
 * may use only what stays beyond its reservation, so the slots it needs pile up for it.
 * `free` may be negative after a pool was made smaller. Applicants larger than `size` can never fit and are passed over.
 */
export function admit<T extends Applicant>(applicants: readonly T[], free: number, size: number): T[] {
  const admitted: T[] = [];
  let left = free;
  for (const applicant of applicants) {
    if (left <= 0) break;
    if (applicant.slots > size) continue;
    if (applicant.slots > left) break;
    admitted.push(applicant);
    left -= applicant.slots;
  }
  return admitted;
}
