import {
  type CompiledPipeline,
  type EnvironmentConfig,
  type Gate,
  type GateRecord,
  gateName,
  gatesOf,
  judgeTests,
  neverFits,
  otherInstallation,
  type PromotionCase,
} from '#core';
import { evaluate, withOverlay } from '#dag';
import { lookElsewhere } from './look-elsewhere.ts';
import { missingIn } from './plan-promotion.ts';
import { lookAtChecks } from './look-at-checks.ts';
import type { PromotionParts } from './promotion-parts.ts';
import { matchingPipelines, startPromotionRuns } from './promotion-runs.ts';

export type Look = Pick<GateRecord, 'state' | 'detail'> & { readonly evidence?: GateRecord['evidence'] };

/**
 * Looks at the gates in their order and stops at the first that has no answer yet: a metric means nothing before its run.
 * Gates with an answer are not looked at again.
 */
export async function lookAtGates(parts: PromotionParts, known: PromotionCase): Promise<void> {
  const { id, kind, plan } = known.promotion;
  const gates = gatesOf(kind, plan.rules);
  for (const [position, gate] of gates.entries()) {
    const before = known.gates[position];
    if (before !== undefined && before.state !== 'pending') continue;
    const override = plan.overrides.find((one) => one.gate === gateName(gate));
    const look: Look = override
      ? { state: 'overridden', detail: `Overridden by ${override.actor}: ${override.reason}` }
      : await lookAt(parts, known, gate).catch((error: unknown): Look => {
          parts.observer.problem('looking at a gate', error, { promotion: id, gate: gateName(gate) });
          return { state: 'pending', detail: `Looking failed, and is tried again: ${(error as Error).message}` };
        });
    const same = before?.state === look.state && before.detail === look.detail;
    if (!same)
      await parts.promotions.recordGates(id, [
        { position, kind: gate.kind, name: gateName(gate), evidence: {}, ...look },
      ]);
    if (look.state === 'pending' || look.state === 'failed') return;
  }
}

async function lookAt(parts: PromotionParts, known: PromotionCase, gate: Gate): Promise<Look> {
  switch (gate.kind) {
    case 'validate':
      return validate(parts, known);
    case 'provenance':
      return provenance(parts, known, gate);
    case 'soak':
      return soak(parts, known, gate);
    case 'smoke':
      return smoke(parts, known, gate);
    case 'metric':
      return metric(parts, known, gate);
    case 'checks':
      return checks(parts, known, gate);
    case 'tests':
      return judgeTests(await parts.promotions.recordedTests(known.promotion.release), gate);
    case 'external':
      return external(parts, gate);
    case 'installation':
      return lookElsewhere(parts, known, gate);
  }
}

/** The release is whole, and the target has what its tasks name. */
export async function validate(parts: PromotionParts, { promotion }: PromotionCase): Promise<Look> {
  const environment = parts.environments.get(promotion.environment);
  const release = await parts.promotions.release(promotion.release);
  if (environment === null || release === null)
    return { state: 'failed', detail: `There is no ${environment === null ? 'environment' : 'release'} any more.` };
  const wrong = [...(await parts.releaseProblems(promotion.release))];
  if (release.dirty && !(await parts.isFollowed(promotion.environment)))
    wrong.push('It was made from files that are in no commit; such a release runs in dev only.');
  if (wrong.length > 0) return invalid(wrong);
  const { name, secrets } = environment.config;
  const pipelines = (await parts.pipelines.all(promotion.release)).map((pipeline) => withOverlay(pipeline, name));
  // What another installation has it knows itself.
  if (otherInstallation(environment.config.promotion) !== null)
    return { state: 'passed', detail: `${pipelines.length} pipelines.` };
  const missing = missingIn(environment, pipelines);
  wrong.push(...missing.secrets.map((secret) => `${name} has no secret ${secret}.`));
  wrong.push(...missing.pools.map((pool) => `${name} has no pool ${pool}.`));
  wrong.push(...unfitting(environment.config, pipelines));
  const named = new Set(pipelines.flatMap(({ tasks }) => tasks.flatMap((task) => task.secrets)));
  for (const secret of named) {
    const source = secrets[secret];
    if (source !== undefined)
      await parts.readSecret(source).catch((error: unknown) => {
        wrong.push(`Secret ${secret} of ${name}: ${(error as Error).message}`);
      });
  }
  return wrong.length > 0
    ? invalid(wrong)
    : { state: 'passed', detail: `${pipelines.length} pipelines, ${named.size} secrets.` };
}

function unfitting(config: EnvironmentConfig, pipelines: readonly CompiledPipeline[]): string[] {
  return pipelines.flatMap(({ name, tasks }) =>
    tasks.flatMap((task) => {
      const why = neverFits(task, config);
      return why === null ? [] : [`Task ${name}.${task.id} can never begin: ${why}.`];
    }),
  );
}

function invalid(wrong: readonly string[]): Look {
  return { state: 'failed', detail: wrong.slice(0, 5).join(' '), evidence: { problems: wrong.slice(0, 100) } };
}

async function provenance(
  parts: PromotionParts,
  { promotion }: PromotionCase,
  gate: Extract<Gate, { kind: 'provenance' }>,
): Promise<Look> {
  const { verified, stated } = await verifiedIn(parts, promotion, gate.from);
  const missing = gate.from.filter((name) => verified[name] === undefined);
  const evidence = { ...instants(verified), ...(stated.length === 0 ? {} : { stated }) };
  if (missing.length > 0) {
    const detail = `It was never verified in ${missing.join(', ')}; promote it there first.`;
    return { state: 'failed', detail, evidence };
  }
  const by = [...new Set(stated.map((one) => one.by))].join(', ');
  return {
    state: 'passed',
    detail: `Verified in ${gate.from.join(', ')}${by === '' ? '' : `, as ${by} states`}.`,
    evidence,
  };
}

/** When it was verified in these environments; of those that this installation does not know, as a token states it. */
async function verifiedIn(
  { promotions, environments }: PromotionParts,
  { release, plan }: PromotionCase['promotion'],
  from: readonly string[],
) {
  const own = await promotions.verifiedIn(release, from);
  const stated = (plan.vouched ?? []).filter(
    ({ environment }) =>
      from.includes(environment) && own[environment] === undefined && environments.get(environment) === null,
  );
  const verified = {
    ...own,
    ...Object.fromEntries(stated.map(({ environment, at }) => [environment, Date.parse(at)])),
  };
  return { verified, stated };
}

async function soak(
  parts: PromotionParts,
  { promotion }: PromotionCase,
  gate: Extract<Gate, { kind: 'soak' }>,
): Promise<Look> {
  const { verified } = await verifiedIn(parts, promotion, gate.from);
  const since = Math.max(...gate.from.map((name) => verified[name] ?? Infinity));
  const until = new Date(since + gate.ms);
  if (!Number.isFinite(since)) return { state: 'failed', detail: `It was never verified in ${gate.from.join(', ')}.` };
  if (until > parts.clock.now())
    return {
      state: 'pending',
      detail: `Soaks until ${until.toISOString()}.`,
      evidence: { until: until.toISOString() },
    };
  return { state: 'passed', detail: `Verified since ${new Date(since).toISOString()}.`, evidence: instants(verified) };
}

/** A run of this very release succeeded in the environment before; those that never ran are started. */
async function smoke(
  parts: PromotionParts,
  known: PromotionCase,
  gate: Extract<Gate, { kind: 'smoke' }>,
): Promise<Look> {
  const { promotion } = known;
  const source = sourceOf(known);
  const environment = source === undefined ? null : parts.environments.get(source);
  if (source === undefined || environment === null)
    return { state: 'failed', detail: `There is no environment ${source ?? ''} to run it in.` };
  const pipelines = matchingPipelines(await parts.pipelines.all(promotion.release), gate.pipelines);
  if (pipelines.length === 0)
    return { state: 'failed', detail: `The release has no pipeline ${gate.pipelines.join(', ')}.` };
  const runs: Record<string, string> = {};
  const missing = [];
  for (const pipeline of pipelines) {
    const run = await parts.promotions.lastSuccess(source, pipeline.name, promotion.release);
    if (run === null) missing.push(pipeline);
    else runs[pipeline.name] = run;
  }
  if (missing.length === 0)
    return {
      state: 'passed',
      detail: `${pipelines.length} ran in ${source}.`,
      evidence: { environment: source, runs },
    };
  const started = known.runs.filter(({ trigger }) => trigger === 'smoke');
  const ended = started.find(({ state }) => state === 'failed' || state === 'timed_out' || state === 'cancelled');
  if (ended !== undefined)
    return {
      state: 'failed',
      detail: `Run ${ended.runId} of ${ended.pipeline} in ${source} ended ${ended.state}.`,
      evidence: { environment: source, runs, failed: ended.runId },
    };
  // From when they were started: other gates may have taken days before.
  const since = started.map(({ createdAt }) => Date.parse(createdAt)).sort((a, b) => a - b)[0];
  if (since !== undefined && parts.clock.now().getTime() - since > gate.timeoutMs)
    return { state: 'failed', detail: `${missing.map(({ name }) => name).join(', ')} did not succeed in time.` };
  const impossible = await startPromotionRuns(parts.store, missing, {
    promotionId: promotion.id,
    environment,
    release: promotion.release,
    trigger: 'smoke',
    perPipeline: 1,
    now: parts.clock.now(),
  });
  if (started.length === 0) parts.wake();
  const [first] = impossible;
  if (first !== undefined)
    return { state: 'failed', detail: `${first.pipeline} cannot be started by itself: ${first.reason}` };
  return { state: 'pending', detail: `Runs ${missing.map(({ name }) => name).join(', ')} in ${source}.` };
}

/** What is missing has no answer: never a pass. */
async function metric(
  parts: PromotionParts,
  known: PromotionCase,
  gate: Extract<Gate, { kind: 'metric' }>,
): Promise<Look> {
  const { promotion } = known;
  const source = sourceOf(known) ?? '';
  const { promotions } = parts;
  const candidateRun = await promotions.lastSuccess(source, gate.pipeline, promotion.release);
  const baselineRun =
    promotion.fallback === null
      ? null
      : await promotions.lastSuccess(promotion.environment, gate.pipeline, promotion.fallback);
  const metrics = candidateRun === null ? {} : await promotions.metricsOfRun(candidateRun);
  const baseline = baselineRun === null ? {} : await promotions.metricsOfRun(baselineRun);
  const evidence = { candidateRun, baselineRun, metrics, baseline };
  const result = evaluate(gate.expr, {
    params: {},
    env: { name: promotion.environment, vars: parts.environments.get(promotion.environment)?.config.vars ?? {} },
    run: { id: candidateRun ?? '', trigger: 'promotion', release: promotion.release, interval: null },
    metrics,
    baseline,
  });
  const compared = `${shown(metrics, gate.expr)} in ${source}, against ${shown(baseline, gate.expr)} in ${promotion.environment}.`;
  if (result.ok && typeof result.value === 'boolean')
    return { state: result.value ? 'passed' : 'failed', detail: compared, evidence };
  const why = result.ok ? `It is ${JSON.stringify(result.value)}, not true or false.` : result.message;
  // Why an expression fails over numbers that are not there, nobody needs to be told.
  const detail = candidateRun === null || baselineRun === null ? compared : `${compared} ${why}`;
  return gate.onMissing === 'fail'
    ? { state: 'failed', detail, evidence }
    : { state: 'inconclusive', detail: `${detail} A person has to decide.`, evidence };
}

async function checks(
  parts: PromotionParts,
  known: PromotionCase,
  gate: Extract<Gate, { kind: 'checks' }>,
): Promise<Look> {
  const name = sourceOf(known) ?? '';
  const source = parts.environments.get(name);
  if (source === null) return { state: 'failed', detail: `There is no environment ${name} to look at.` };
  return lookAtChecks(parts, known, gate, source);
}

async function external(parts: PromotionParts, gate: Extract<Gate, { kind: 'external' }>): Promise<Look> {
  const status = await parts.statusOf(gate.url, gate.timeoutMs);
  return status >= 200 && status < 300
    ? { state: 'passed', detail: `It answered ${status}.`, evidence: { status } }
    : {
        state: 'failed',
        detail: `It answered ${status}; a status from 200 to 299 was expected.`,
        evidence: { status },
      };
}

/** Where the candidate runs: the environment just before this one. */
function sourceOf({ promotion }: PromotionCase): string | undefined {
  return promotion.plan.rules.from.at(-1);
}

function instants(verified: Readonly<Record<string, number>>): GateRecord['evidence'] {
  return Object.fromEntries(Object.entries(verified).map(([name, at]) => [name, new Date(at).toISOString()]));
}

/** Those that the expression names. */
function shown(metrics: Readonly<Record<string, number>>, expr: string): string {
  const named = new Set(expr.split(/\W+/));
  const entries = Object.entries(metrics).filter(([name]) => named.has(name));
  return entries.length === 0
    ? 'nothing'
    : entries.map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`).join(', ');
}
