import type { PromotionDetail } from '#contracts';
import type { JunitCase } from '../output/junit.ts';

/** A test case for each gate, for the approval, and for each run of the verification: what a build shows of a promotion. */
export function junitCases(promotion: PromotionDetail): readonly JunitCase[] {
  const { environment, gates, approvals, runs, state, detail, finishedAt } = promotion;
  const classname = `sluice.promote.${environment}`;
  const ended = detail ?? state;
  const cases = gates.map((gate): JunitCase => {
    const evidence = `${gate.detail}\n${JSON.stringify(gate.evidence, null, 2)}`;
    if (gate.state === 'failed')
      return { classname, name: gate.name, failure: { message: gate.detail, type: 'gate', text: evidence } };
    if (gate.state === 'passed') return { classname, name: gate.name, output: evidence };
    return { classname, name: gate.name, skipped: `${gate.state}: ${gate.detail}` };
  });
  if (approvals.needed > 0 || approvals.given.length > 0) {
    const names = approvals.counted.join(', ') || 'nobody';
    const name = `approval (${approvals.counted.length} of ${approvals.needed})`;
    const refused = state === 'rejected' || state === 'expired';
    cases.push(
      refused
        ? { classname, name, failure: { message: ended, type: 'approval', text: ended } }
        : approvals.counted.length < approvals.needed
          ? { classname, name, skipped: ended }
          : { classname, name, output: `Approved by ${names}.` },
    );
  }
  for (const { trigger, pipeline, runId, state: run, reason } of runs) {
    if (trigger !== 'verification') continue;
    const name = `verification of ${pipeline}, run ${runId}`;
    const text = `${run}${reason ? `: ${reason}` : ''}`;
    if (run === 'success') cases.push({ classname, name, output: text });
    else if (run === 'queued' || run === 'running' || run === 'skipped') cases.push({ classname, name, skipped: text });
    else cases.push({ classname, name, failure: { message: text, type: 'verification', text } });
  }
  const name = `${environment} runs ${promotion.release.alias}`;
  if (state === 'verified') cases.push({ classname, name, output: ended });
  else if (finishedAt === null) cases.push({ classname, name, skipped: ended });
  else cases.push({ classname, name, failure: { message: ended, type: state, text: ended } });
  return cases;
}
