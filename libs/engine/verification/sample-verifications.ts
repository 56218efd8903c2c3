import { requestVerification } from './request-verification.ts';
import type { VerificationParts } from './verification-parts.ts';

const ACTOR = 'Sluice';
const DAY_MS = 86_400_000;

/**
 * Begins the verifications that environment files ask for (`verify_sample`): of scheduled runs of the last day, or of the
 * time since the last sample if that is longer, chosen by chance. Any process may call this at any time; one of them is
 * served. Returns the ids of the runs.
 */
export async function sampleVerifications(parts: VerificationParts): Promise<readonly string[]> {
  const chosen: string[] = [];
  for (const { config } of parts.environments.all()) {
    const rules = config.verifySample;
    if (rules === null) continue;
    const runs = await parts.verifications.sample(config.name, Math.max(DAY_MS, rules.everyMs), rules.runs);
    // Only then: a day without runs must not use up the turn.
    if (runs.length === 0 || !(await parts.verifications.claimSample(config.name, rules.everyMs))) continue;
    for (const runId of runs) {
      try {
        await requestVerification(parts, runId, { actor: ACTOR, sampled: true });
        chosen.push(runId);
      } catch (error) {
        parts.observer.problem('verifying a run chosen by chance', error, { runId });
      }
    }
  }
  return chosen;
}
