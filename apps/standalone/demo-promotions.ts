import path from 'node:path';
import type { Caller, PromotionCase, PromotionState } from '#core';
import { gatesOf } from '#core';
import { readTrail, releaseCommit, type Installation } from '#platform';
import { DemoRepository } from './demo-repository.ts';

const RIGHTS = (['release', 'promote', 'approve-on-behalf'] as const).map((right) => ({ right, environment: '*' }));
const DEMO: Caller = { name: 'the demo', groups: [], rights: RIGHTS };
/** A promotion verifies the last interval of a schedule, and here that is one of January. */
const JANUARY = {
  'flight-delays.yaml': [['end: 2001-06-30', 'end: 2001-01-31']],
  'delay-scores.yaml': [['end: 2001-06-30', 'end: 2001-01-31']],
  'delay-model.yaml': [['end: 2001-06-25', 'end: 2001-01-22']],
} as const;
const HAND_ON = `
  hand_on: # only prod has somebody who takes it
    if: env.name == "prod"
    retries: 0
    run: cp "$PATH_MODEL/weights.json" "$PATH_HANDED_ON/"
    reads: [model]
    writes: [handed_on]
`;

interface Step {
  readonly message: string;
  readonly edits: Parameters<DemoRepository['commit']>[1];
  /** How the promotion to prod must end, or the demo has failed. */
  readonly ends: PromotionState;
}
const STEPS: readonly Step[] = [
  { message: 'The example, January only', edits: JANUARY, ends: 'verified' },
  {
    message: 'Punish large weights a thousand times more',
    edits: { 'delay-model.yaml': [['l2: [3, 30]', 'l2: [3000, 30000]']] },
    ends: 'failed',
  },
  {
    message: 'Milder again, and prod hands the model on',
    edits: {
      'delay-model.yaml': [
        ['l2: [3000, 30000]', 'l2: [30, 100]'],
        ['\n  model: {', '\n  handed_on: { at: handed_on, partition: ds }\n  model: {'],
        ['\n  publish:', `${HAND_ON}\n  publish:`],
      ],
    },
    ends: 'rolled_back',
  },
];

/** Takes three commits to prod, through the gates of environments/, and shows what became of each. True when all went as it must. */
export async function promoteCommits(
  installation: Installation,
  given: { readonly folder: string; readonly project: string },
  say: (line: string) => void,
): Promise<boolean> {
  const repository = await DemoRepository.create(path.join(given.folder, 'repository'), given.project);
  say('\nThree commits on their way to prod, through the gates of environments/*.yaml:');
  let asItMust = true;
  for (const { message, edits, ends } of STEPS) {
    await repository.commit(message, edits);
    const { digest, alias } = await releaseCommit(installation, {
      ...{ repository: repository.folder, ref: 'main', actor: DEMO.name },
    });
    say(`  "${message}" is release ${alias}`);
    let last: PromotionCase | null = null;
    for (const environment of ['dev', 'test', 'prod']) {
      last = await promote(installation, environment, digest);
      for (const line of linesOf(last)) say(line);
    }
    asItMust &&= last?.promotion.state === ends;
  }
  await showProd(installation, say);
  return (await showTrail(installation, say)) && asItMust;
}

async function promote(installation: Installation, environment: string, release: string): Promise<PromotionCase> {
  const { promotions, promotionStore, backfills } = installation;
  const nothing = { reason: null, buildUrl: null, input: null, planHash: null, overrides: [], verified: [] };
  const approver = environment === 'prod' ? 'ada' : null;
  const id = await promotions.request(
    { environment, release, kind: 'promote', inFlight: 'finish', ...nothing, approver },
    DEMO,
  );
  let loaded = environment !== 'prod';
  for (;;) {
    const known = await promotionStore.promotionCase(id);
    if (known !== null && known.promotion.finishedAt !== null) return known;
    if (!loaded && known?.promotion.switchedAt) {
      // The first release there: what it verifies on must be loaded once, as the schedule would.
      loaded = true;
      const month = { environment, pipeline: 'flight-delays', from: '2001-01-01', to: '2001-01-29' };
      await backfills.create({ ...month, reprocess: 'missing' }, DEMO.name);
    }
    // A promotion tells no listener of its own here: looking is cheap.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function showProd({ promotionStore }: Installation, say: (line: string) => void): Promise<void> {
  const { release } = await promotionStore.stand('prod');
  const about = release === null ? null : await promotionStore.release(release);
  say(`  prod runs ${about?.alias ?? 'nothing'}`);
  for (const hold of await promotionStore.holds('prod'))
    say(`  ${(await promotionStore.release(hold.release))?.alias ?? ''} is on hold there until somebody lifts that`);
}

function linesOf({ promotion, gates, approvals, runs }: PromotionCase): string[] {
  const { environment, state, detail, kind, plan } = promotion;
  const passed = gates.filter((gate) => gate.state === 'passed').length;
  const unanswered = gates.filter((gate) => gate.state === 'inconclusive').length;
  const verifying = runs.filter(({ trigger }) => trigger === 'verification').length;
  const counts = [
    `${passed} of ${gatesOf(kind, plan.rules).length} gates passed`,
    ...(unanswered > 0 ? [`${unanswered} without an answer`] : []),
    ...(state === 'failed' ? [] : approvals.map(({ approver }) => `approved by ${approver}`)),
    ...(verifying > 0 ? [`${verifying} run to verify it`] : []),
  ];
  const line = `    ${environment.padEnd(4)}  ${state.padEnd(11)}  ${counts.join(', ')}`;
  return state === 'verified' ? [line] : [line, `${' '.repeat(23)}${detail ?? ''}`];
}

/** What is recorded for ever: who did what. Steps that only lead to the next are left out. */
async function showTrail(installation: Installation, say: (line: string) => void): Promise<boolean> {
  const { records, whole } = await readTrail(installation, 1000);
  const shown = records.filter(
    ({ action, environment }) =>
      action === 'release.create' ||
      (environment === 'prod' && /^(promote|promotion)\.(?!approval|window)/.test(action)),
  );
  say(`\nAudit trail, ${whole ? 'whole' : 'BROKEN'}: ${records.length} records, of them about releases and prod`);
  for (const { at, actor, action, environment, subject } of shown) {
    const about = environment === null ? subject.slice(0, 12) : `${subject} to ${environment}`;
    say(`  ${at.slice(11, 19)}  ${actor.padEnd(9)}  ${action.padEnd(20)}  ${about}`);
  }
  return whole;
}
