import { type BuildInput, buildBelow, type PromotionRules, SluiceError } from '#core';
import type { PromotionRequest } from './promotion-request.ts';

/** How Sluice is known to the Jenkins whose inputs it answers. */
export interface JenkinsAccount {
  readonly url: string;
  readonly user: string;
}

/**
 * The input at which the build that asks waits, or waited; null: it names none. Throws for one that could not be
 * answered: its build would wait for ever.
 */
export function waitingBuild(
  { buildUrl, input, approver }: Pick<PromotionRequest, 'buildUrl' | 'input' | 'approver'>,
  jenkins: JenkinsAccount | null,
): BuildInput | null {
  if (input === null) return null;
  if (buildUrl === null)
    throw new SluiceError('bad_request', `The input "${input}" belongs to a build that is not named.`, {
      hint: 'Name it with `--build-url`; in a build of Jenkins it is known as BUILD_URL.',
    });
  const url = jenkins === null ? null : buildBelow(jenkins.url, buildUrl);
  if (url !== null) return { buildUrl: url, input };
  // It waits no more, so nothing has to be sent there.
  if (approver !== null) return null;
  throw jenkins === null
    ? new SluiceError('conflict', 'This server answers no build that waits: it knows no Jenkins.', {
        hint: 'Set SLUICE_JENKINS_URL, SLUICE_JENKINS_USER and SLUICE_JENKINS_TOKEN, and start again; or promote after the input of the build.',
      })
    : new SluiceError('bad_request', `The build ${buildUrl} is not one of ${jenkins.url}, where this server answers.`, {
        hint: 'The address of Jenkins (Manage Jenkins → System) and SLUICE_JENKINS_URL have to be the same.',
      });
}

/** Whoever waits for an approval gets one to wait for: without, the input would decide about nothing. */
export function withAnApproval(rules: PromotionRules): PromotionRules {
  return { ...rules, approvals: { ...rules.approvals, count: Math.max(1, rules.approvals.count) } };
}
