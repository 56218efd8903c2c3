import type { GateRecord, RecordedTests } from './promotion-store.ts';
import type { Gate } from './promotion.ts';

/** Whether the recorded tests of a release let it pass. No record, and a record of no test at all, are no answer. */
export function judgeTests(
  recorded: RecordedTests | null,
  { onMissing }: Extract<Gate, { kind: 'tests' }>,
): Pick<GateRecord, 'state' | 'detail' | 'evidence'> {
  const evidence = recorded === null ? {} : { ...recorded };
  const count = recorded === null ? 0 : recorded.passed + recorded.failed;
  if (recorded === null || count === 0) {
    const detail = recorded === null ? 'No tests are recorded with the release.' : 'The release has no tests.';
    return onMissing === 'fail'
      ? { state: 'failed', detail, evidence }
      : { state: 'inconclusive', detail: `${detail} A person has to decide.`, evidence };
  }
  const tests = count === 1 ? 'test' : 'tests';
  const told = `recorded by ${recorded.actor} at ${recorded.at}.`;
  return recorded.failed === 0
    ? { state: 'passed', detail: `${count} ${tests} passed, ${told}`, evidence }
    : { state: 'failed', detail: `${recorded.failed} of ${count} ${tests} failed, ${told}`, evidence };
}
