import { afterAll, describe, expect, test } from '@jest/globals';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { startSmtpServer } from '#testing';
import { PROGRAM_ROOT, type RunningStandalone, TestProject } from '../standalone/standalone-fixture.ts';
import { launchBrowser, openTab, signIn, type Watched } from './fixture/browser.ts';
import { PROMOTION_ENVIRONMENTS, promoted, sendRelease, settled } from './fixture/promotions.ts';
import { SHOP } from './fixture/shop.ts';

const CHROMIUM = process.env.SLUICE_TEST_CHROMIUM ?? '';
const IMAGES = join(PROGRAM_ROOT, 'docs', 'images');
const CATCH_UP_MS = 900_000;
/** The example's history, cut after four weeks; then, by an edit and so with a new release, after nine. */
const ENDS: readonly (readonly [string, string, string])[] = [
  ['flight-delays', '2001-01-29', '2001-02-26'],
  ['delay-scores', '2001-01-28', '2001-02-26'],
  ['delay-model', '2001-01-22', '2001-02-19'],
];

// Pictures for the documentation, from the real example: only when somebody wants them, since they take minutes.
const wanted = CHROMIUM !== '' && process.env.SLUICE_SCREENSHOTS === '1';
(wanted ? describe : describe.skip)('pictures for docs/images (SLUICE_SCREENSHOTS=1)', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  test(
    'every page in light and dark',
    async () => {
      const smtp = await startSmtpServer();
      closers.push(() => smtp.close());
      const project = await aProject();
      closers.push(() => project.destroy());
      const server = await project.start({ env: { SMTP_URL: smtp.url } });
      closers.push(() => server.stop());
      const pages = await prepare(server, project);
      const browser = await launchBrowser(CHROMIUM);
      closers.push(() => browser.close());
      await mkdir(IMAGES, { recursive: true });
      for (const colorScheme of ['light', 'dark'] as const) {
        const tab = await openTab(browser, { url: server.url, colorScheme });
        await tab.page.goto('/');
        await tab.page.getByTestId('sign-in').waitFor();
        await picture(tab, 'sign-in', colorScheme);
        await signIn(tab, await server.client.loginCode());
        await takePictures(tab, pages, colorScheme);
        expect(tab.faults.filter((fault) => !fault.includes('401'))).toEqual([]);
        await tab.context.close();
      }
    },
    CATCH_UP_MS + 120_000,
  );

  test('the promotion board, with a release that runs in prod, one that failed at a gate, and one that waits', async () => {
    const project = await TestProject.create(PROMOTION_ENVIRONMENTS);
    closers.push(() => project.destroy());
    const server = await project.start({});
    closers.push(() => server.stop());
    const pages = await preparePromotions(server);
    const browser = await launchBrowser(CHROMIUM);
    closers.push(() => browser.close());
    for (const colorScheme of ['light', 'dark'] as const) {
      const tab = await openTab(browser, { url: server.url, colorScheme });
      await signIn(tab, await server.client.loginCode());
      await takePictures(tab, pages, colorScheme);
      await tab.context.close();
    }
  }, 300_000);
});

async function takePictures(tab: Watched, pages: readonly Picture[], colorScheme: string): Promise<void> {
  for (const { name, path, ready } of pages) {
    await tab.page.goto(path);
    await tab.page.locator(ready).first().waitFor();
    await tab.page.waitForLoadState('networkidle');
    await picture(tab, name, colorScheme);
  }
}

async function aProject(): Promise<TestProject> {
  const project = await TestProject.create({});
  const at = (name: string) => join(project.folder, name);
  await cp(join(PROGRAM_ROOT, 'environments'), at('environments'), { recursive: true });
  await cp(join(PROGRAM_ROOT, 'dags'), at('dags'), { recursive: true });
  await symlink(join(PROGRAM_ROOT, 'node_modules'), at('node_modules'));
  for (const [name, end] of ENDS) await endAt(project, name, end);
  for (const [file, text] of Object.entries(SHOP)) await project.write(file, text);
  return project;
}

async function endAt(project: TestProject, pipeline: string, end: string): Promise<void> {
  const file = `dags/${pipeline}.yaml`;
  const text = await readFile(join(project.folder, file), 'utf8');
  await project.write(file, text.replace(/^( +end:) \S+/m, `$1 ${end}`));
}

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly ready: string;
}

/** Lets the example catch up in two releases, so that the charts show the change; then the shop's runs. */
async function prepare(server: RunningStandalone, project: TestProject): Promise<readonly Picture[]> {
  const { client } = server;
  const count = async (query: { pipeline?: string; state?: string }) => {
    const { items } = await client.runs({ env: 'dev', limit: 200, ...query });
    return items;
  };
  const caughtUp = (days: number) =>
    server.when(
      `${days} days`,
      async () => {
        const done = await count({ pipeline: 'flight-delays', state: 'success' });
        return done.length === days && (await count({ state: 'queued,running' })).length === 0;
      },
      CATCH_UP_MS,
    );
  await caughtUp(29);
  for (const [name, , end] of ENDS) await endAt(project, name, end);
  await caughtUp(57);
  const trigger = (pipeline: string, params: Record<string, unknown> = {}) =>
    client.trigger(pipeline, { environment: 'dev', params });
  for (const pages of [2, 3, 1]) await server.endOf((await trigger('orders-import', { pages })).id);
  const failed = await trigger('orders-import');
  await server.endOf(failed.id);
  const exporting = await trigger('catalogue-export');
  const tail = client.followLog({ runId: exporting.id, task: 'export' });
  for await (const lines of tail) if ((lines.at(-1)?.n ?? 0) > 120) break;

  const [model] = await count({ pipeline: 'delay-model', state: 'success' });
  const weeks = (await client.grid('delay-model', { env: 'dev' })).runs;
  const chosen = weeks.at(-3)?.id ?? '';
  const page = (name: string, path: string, ready: string): Picture => ({ name, path, ready });
  const run = `/runs/${model?.id}`;
  return [
    page('today', '/?env=dev', '[data-testid=newest] li'),
    page('pipelines', '/pipelines', '[data-testid=run-bars]'),
    page('pipeline-grid', `/pipelines/delay-model/grid?sel=${chosen}/evaluate`, '[data-testid=grid-panel]'),
    page('pipeline-graph', '/pipelines/delay-model/graph', '[data-testid=node-publish]'),
    page('pipeline-metrics', '/pipelines/flight-delays/metrics', '[data-testid=metrics] canvas'),
    page('pipeline-yaml', '/pipelines/delay-model/source', '[data-testid=source]'),
    page('runs', '/runs', '[data-testid=runs] tr:nth-child(20)'),
    page('run-timeline', run, '[data-testid=timeline-row]'),
    page('run-graph', `/runs/${exporting.id}?tab=graph`, '[data-testid=node-publish]'),
    page('run-why', `/runs/${exporting.id}?tab=why`, '[data-testid=why]'),
    page('run-failed', `/runs/${failed.id}`, '[data-testid=failed-log]'),
    page('task-log-live', `/runs/${exporting.id}/tasks/export`, '[data-testid=log] [data-line]'),
    page('task-log-failed', `/runs/${failed.id}/tasks/load`, '[data-testid=log] [data-line]'),
    page('task-data', `${run}/tasks/publish?tab=data`, '[data-testid=published]'),
    page('task-summary', `${run}/tasks/publish?tab=summary`, '[data-testid=summary]'),
    page('alerts', '/alerts', '[data-testid=alerts]'),
    page('system', '/system', '[data-testid=pools]'),
  ];
}

/** Three commits on their way to prod: good, worse, better. */
async function preparePromotions(server: RunningStandalone): Promise<readonly Picture[]> {
  const [good, worse, better] = [
    await sendRelease(server, { error: '0.21', message: 'Scores of the day' }),
    await sendRelease(server, { error: '0.42', message: 'Learn from yesterday only' }),
    await sendRelease(server, { error: '0.19', message: 'Weather as a feature', schedule: '"30 6 * * *"' }),
  ];
  const ids: string[] = [];
  for (const release of [good, worse, better]) {
    for (const environment of ['dev', 'test']) await promoted(server, environment, release);
    const { id } = await promoted(server, 'prod', release);
    ids.push(id);
    if (release !== good) continue;
    await server.client.decide(id, { decision: 'approve', comment: 'Looks good', approver: 'anna' });
    await settled(server, 'prod', id);
  }
  await server.client.setHold('prod', worse.digest, 'Twice the error of what runs');
  const page = (name: string, path: string, ready: string): Picture => ({ name, path, ready });
  return [
    page('environments', '/environments', '[data-testid=column-prod]'),
    page('promotion-failed', `/promotions/${ids[1]}`, '[data-testid=gate-metrics]'),
    page('promotion-waiting', `/promotions/${ids[2]}`, '[data-testid=approve]'),
    page('releases', '/releases', `[data-testid=release-${good.alias}]`),
    page('audit', '/audit', 'main table'),
  ];
}

async function picture({ page }: Watched, name: string, colorScheme: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  // One frame drawn after everything has arrived.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.screenshot({ path: join(IMAGES, `${name}-${colorScheme}.png`), animations: 'disabled' });
}
