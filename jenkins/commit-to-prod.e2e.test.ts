import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PromotionDetail } from '#contracts';
import { startJenkinsServer, startSlackServer, type JenkinsServer, type SlackServer } from '#testing';
import { PROGRAM_ROOT, type RunningStandalone, TestProject, until } from '../apps/standalone/standalone-fixture.ts';
import { GitRepository, Programs } from './test/git-repository.ts';
import {
  type BuildSettings,
  GROOVY,
  type Recording,
  removeBuildFolders,
  runJenkinsfile,
  startJenkinsfile,
} from './test/run-jenkinsfile.ts';

// From a commit to prod and back: the repository's Jenkinsfile, its `sh` lines run for real against the built program.
/** Seconds on two free cores, and many times that on busy ones. */
const BUILD_MS = 180_000;
const PIPELINE = `name: model
paths: { model: { at: model } }
tasks:
  train:
    run: |
      cp "$SLUICE_RELEASE_DIR/model/weights.txt" "$DATA_SOURCE/rows.csv" "$PATH_MODEL/"
      echo "::metric name=auc value=$(cat "$PATH_MODEL/weights.txt")::"
    writes: [model]
    metrics: [auc]
`;
/** Needs a file that the source has everywhere but in prod. */
const WITH_COUNTRIES = PIPELINE.replace('rows.csv"', 'rows.csv" "$DATA_SOURCE/countries.csv"');

const environment = (name: string, more: string): string =>
  `name: ${name}\nstorage: file://./.sluice/storage/${name}\ndata: { source: source/${name} }\npools: { default: 2 }\n${more}`;
const ENVIRONMENTS = {
  'environments/dev.yaml': environment('dev', ''),
  'environments/test.yaml': environment(
    'test',
    'from: [dev]\ngates: [{ tests: { on_missing: fail } }, { smoke: { pipelines: model } }]\n',
  ),
  'environments/prod.yaml': environment(
    'prod',
    `from: [test]
gates:
  - smoke: { pipelines: model }
  - metric: { pipeline: model, expr: metrics.auc >= baseline.auc - 0.01 }
approvals: { groups: [ml-leads] }
verify: { pipelines: model, timeout: 10m }
auto_rollback: true
alerts:
  slack: { channel: "#ml-alerts" }
  on: [run.failed, promotion.waiting, promotion.failed, promotion.rolled_back]
`,
  ),
};
const METRIC_GATE = 'metric model: metrics.auc >= baseline.auc - 0.01';

// Without Groovy nothing here runs; `npm test` says how to get it (scripts/find-tools.mjs), and in CI that is a failure.
(GROOVY === undefined ? describe.skip : describe)('from a commit to prod through the Jenkinsfile', () => {
  let slack: SlackServer;
  let jenkins: JenkinsServer;
  let project: TestProject;
  let running: RunningStandalone;
  let repository: GitRepository;
  let programs: Programs;
  let tokens: { readonly view: string; readonly promote: string; readonly ada: string };
  let builds = 0;
  /** Digest by what the commit is like. */
  const digests: Record<'good' | 'worse' | 'blind', string> = { good: '', worse: '', blind: '' };

  const start = () =>
    project.start({
      env: {
        ...{ SLACK_BOT_TOKEN: 'xoxb-test', SLACK_API_URL: slack.apiUrl, SLUICE_LOG_LEVEL: 'error' },
        ...{ SLUICE_JENKINS_URL: jenkins.url, SLUICE_JENKINS_USER: jenkins.user, SLUICE_JENKINS_TOKEN: jenkins.token },
      },
    });
  const token = async (name: string, ...rights: string[]) => {
    const made = await project.sluice('token', 'create', name, ...rights);
    expect([made.code, made.err]).toEqual([0, expect.any(String)]);
    return made.out.trim();
  };

  beforeAll(async () => {
    slack = await startSlackServer({ token: 'xoxb-test' });
    jenkins = await startJenkinsServer();
    const files: Record<string, string> = {
      ...ENVIRONMENTS,
      'dags/model.yaml': PIPELINE,
      'dags/model/weights.txt': '0.5\n',
    };
    for (const name of ['dev', 'test', 'prod']) files[`source/${name}/rows.csv`] = `rows of ${name}\n`;
    for (const name of ['dev', 'test']) files[`source/${name}/countries.csv`] = 'countries\n';
    project = await TestProject.create(files);
    running = await start();
    tokens = {
      view: await token('ci-view', '--right', 'view:*'),
      promote: await token(
        'ci-promote',
        ...['release:*', 'promote:*', 'approve-on-behalf:prod'].flatMap((right) => ['--right', right]),
      ),
      ada: '',
    };
    tokens = { ...tokens, ada: await token('ada', '--right', 'approve:prod', '--group', 'ml-leads') };
    repository = new GitRepository();
    const sluice = `exec '${process.execPath}' '${join(PROGRAM_ROOT, 'bin/sluice.mjs')}' "$@"`;
    programs = new Programs({ npm: 'echo "npm $*"', npx: 'exec "$@"', sluice });
  });
  afterAll(async () => {
    await project.destroy();
    await Promise.all([slack.close(), jenkins.close()]);
    repository.remove();
    programs.remove();
    removeBuildFolders();
  });

  const commit = (weights: string, pipeline = PIPELINE) =>
    repository.commit({
      ...ENVIRONMENTS,
      'dags/model.yaml': pipeline,
      'dags/model/weights.txt': `${weights}\n`,
      'dags/tests/model.yaml': 'pipeline: model\ntests: { a model is trained: { expect: { state: success } } }\n',
    });
  const settings = (): BuildSettings => ({
    ...{ jenkinsfile: join(PROGRAM_ROOT, 'Jenkinsfile'), repository: repository.folder, branch: 'main' },
    ...{ number: ++builds, path: programs.path, env: { SLUICE_URL: running.url } },
    credentials: { 'sluice-view': tokens.view, 'sluice-promote': tokens.promote },
    inputs: { prod: { approve: 'ada' } },
  });
  const answerOf = (build: Recording, stage: string) =>
    JSON.parse(readFileSync(join(build.folder, 'archive', `${stage}.json`), 'utf8')) as PromotionDetail;
  const promotionsTo = async (env: string) =>
    [...(await running.client.promotions({ env })).items]
      .reverse()
      .map(({ release, state }) => [release.digest, state]);
  const standsOn = async (env: string) => (await running.client.promotionStand(env)).current?.digest;
  /** Ada approves the promotion to prod that waits, with her own token. */
  const approveInSluice = async () => {
    const { items } = await running.client.promotions({ env: 'prod' });
    const asAda = { SLUICE_URL: running.url, SLUICE_TOKEN: tokens.ada };
    const { code, err } = await project.sluiceWith(asAda, 'approve', items[0]?.id ?? '');
    expect([code, err]).toEqual([0, expect.any(String)]);
  };
  const endOfRunInProd = async () => {
    const { id } = await running.client.trigger('model', { environment: 'prod' });
    return running.endOf(id);
  };

  test(
    'a build that dies while it promotes is started again, and nothing is done twice',
    async () => {
      commit('0.80');
      const dying = await startJenkinsfile(settings(), (event, build) => {
        if (event.event !== 'step' || event.step !== 'sh' || event.stage !== 'prod') return;
        void until('the promotion to prod', async () => (await promotionsTo('prod')).length > 0).then(() =>
          build.kill(),
        );
      });
      const died = await dying.ended;
      expect([died.result, died.of('ran', 'prod')]).toEqual([undefined, []]);

      const build = await runJenkinsfile(settings());
      expect([build.result, build.of('ran').filter(({ exit }) => exit !== 0)]).toEqual(['SUCCESS', []]);
      digests.good = answerOf(build, 'prod').release.digest;
      for (const env of ['dev', 'test', 'prod']) expect(await promotionsTo(env)).toEqual([[digests.good, 'verified']]);
      // dev follows the working tree: the commit was tried there, and dev runs what it ran.
      expect(await standsOn('dev')).not.toBe(digests.good);
      expect([await standsOn('test'), await standsOn('prod')]).toEqual([digests.good, digests.good]);
      expect(build.of('junit').filter(({ stage }) => stage === 'prod')).toEqual([
        expect.objectContaining({
          cases: expect.arrayContaining([
            expect.objectContaining({ name: 'provenance', failed: false }),
            // The first release has nothing to be compared with: a person decided.
            expect.objectContaining({ name: METRIC_GATE, skipped: true }),
            expect.objectContaining({ name: 'approval (1 of 1)', failed: false }),
          ]),
        }),
      ]);
      expect(answerOf(build, 'prod').approvals.given).toMatchObject([{ approver: 'ada', assertedBy: 'ci-promote' }]);
      expect(await endOfRunInProd()).toMatchObject({ state: 'success', release: digests.good });
    },
    BUILD_MS,
  );

  test(
    'a worse model stops at the gate, prod keeps what it had, and the build says which gate',
    async () => {
      commit('0.70');
      const build = await runJenkinsfile(settings());
      expect([build.result, build.of('ran', 'prod')]).toEqual(['FAILURE', [expect.objectContaining({ exit: 9 })]]);
      const promotion = answerOf(build, 'prod');
      digests.worse = promotion.release.digest;
      expect([promotion.state, promotion.detail]).toEqual([
        'failed',
        `Gate ${METRIC_GATE} failed: auc 0.7 in test, against auc 0.8 in prod.`,
      ]);
      expect(build.steps('mail')).toHaveLength(1);
      expect(await standsOn('prod')).toBe(digests.good);
    },
    BUILD_MS,
  );

  test(
    'a better model, approved in Sluice while the build waits, cannot do its work in prod: it is rolled back by itself, and held',
    async () => {
      commit('0.90', WITH_COUNTRIES);
      const buildUrl = jenkins.build('job/flights/job/main/4/');
      const waiting = await startJenkinsfile(
        {
          ...{ ...settings(), buildUrl, inputs: { prod: { answeredAt: jenkins.answeredAt(buildUrl) } } },
          env: { SLUICE_URL: running.url, SLUICE_ANSWERS_INPUT: 'true' },
        },
        ({ event }) => {
          if (event === 'input') void approveInSluice();
        },
      );
      const build = await waiting.ended;
      expect(jenkins.answers(buildUrl)).toEqual(['Prod proceed sluice']);
      expect([build.result, build.of('ran', 'prod')]).toEqual(['FAILURE', [expect.objectContaining({ exit: 9 })]]);
      const promotion = answerOf(build, 'prod');
      expect(promotion.approvals.given).toMatchObject([{ approver: 'ada', assertedBy: null }]);
      digests.blind = promotion.release.digest;
      expect([promotion.state, promotion.detail]).toEqual([
        'rolled_back',
        expect.stringMatching(/^Verification run \d+ of model/),
      ]);
      const stand = await running.client.promotionStand('prod');
      expect([stand.current?.digest, stand.holds.map(({ release }) => release.digest)]).toEqual([
        digests.good,
        [digests.blind],
      ]);
      expect(await endOfRunInProd()).toMatchObject({ state: 'success', release: digests.good });
    },
    BUILD_MS,
  );

  test('prod ran what was promoted to it, on storage of its own', async () => {
    const { items } = await running.client.runs({ env: 'prod', limit: 100 });
    const ran = items.map(({ release, trigger, state }) => [release, trigger, state]).reverse();
    expect(ran).toEqual([
      [digests.good, 'verification', 'success'],
      [digests.good, 'manual', 'success'],
      [digests.blind, 'verification', 'failed'],
      [digests.good, 'manual', 'success'],
    ]);
    const published = (env: string, file: string) => {
      const path = join(project.home, 'storage', env, 'model/model', file);
      return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
    };
    expect(['dev', 'test', 'prod'].map((env) => [published(env, 'weights.txt'), published(env, 'rows.csv')])).toEqual([
      ['0.90', 'rows of dev'],
      ['0.90', 'rows of test'],
      ['0.80', 'rows of prod'],
    ]);
  });

  test('one alert for each promotion that failed, none for the one that did not', async () => {
    await running.when(
      'the alerts',
      async () => {
        const { items } = await running.client.alerts({ env: 'prod' });
        const isTold = items.some(({ event }) => event === 'promotion.rolled_back');
        return isTold && items.every(({ state }) => state === 'sent');
      },
      20_000,
      'env:prod',
    );
    expect(
      slack
        .messages('#ml-alerts')
        .filter(({ threadTs }) => threadTs === null)
        .map(({ text }) => text),
    ).toEqual([expect.stringContaining('ended without effect'), expect.stringContaining('was rolled back')]);
  });

  test(
    'after kill -9 of every process the history is whole',
    async () => {
      const history = async () => ({
        promotions: await Promise.all(['dev', 'test', 'prod'].map(promotionsTo)),
        stands: await Promise.all(['test', 'prod'].map((env) => running.client.promotionStand(env))),
        prod: (await running.client.runs({ env: 'prod', limit: 100 })).items,
        evidence: (await running.client.promotion((await running.client.promotions({ env: 'prod' })).items[1]!.id))
          .gates,
        trail: JSON.parse((await project.sluice('audit', '--limit', '0', '-o', 'json')).out) as unknown[],
      });
      const before = await history();
      for (const { pid } of project.processes()) process.kill(pid, 'SIGKILL');
      await running.ended;
      running = await start();
      const after = await history();
      const more = after.trail.length - before.trail.length;
      expect({ ...after, trail: after.trail.slice(more) }).toEqual(before);
      const verified = await project.sluice('audit', '--verify', '-o', 'json');
      expect([verified.code, JSON.parse(verified.out)]).toEqual([0, expect.objectContaining({ whole: true })]);
      expect(slack.messages('#ml-alerts').filter(({ threadTs }) => threadTs === null)).toHaveLength(2);
    },
    BUILD_MS,
  );
});
