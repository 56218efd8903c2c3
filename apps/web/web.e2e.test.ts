import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import type { Run } from '#contracts';
import { startSmtpServer, type SmtpTestServer } from '#testing';
import { type RunningStandalone, TestProject, until } from '../standalone/standalone-fixture.ts';
import { accessibilityViolations, launchBrowser, openTab, signIn, type Watched } from './fixture/browser.ts';
import { TestRepository } from '../../libs/release/repository-fixture.ts';
import { FILES, HOSTILE } from './fixture/pipelines.ts';
import { promotionTests } from './fixture/promotion-tests.ts';
import { PROMOTION_ENVIRONMENTS } from './fixture/promotions.ts';

const CHROMIUM = process.env.SLUICE_TEST_CHROMIUM ?? '';

// Without a browser nothing here runs; `npm test` says how to get one (scripts/find-tools.mjs).
(CHROMIUM === '' ? describe.skip : describe)('the web view in a browser', () => {
  let smtp: SmtpTestServer;
  let project: TestProject;
  let server: RunningStandalone;
  let browser: Browser;
  let tab: Watched;
  let gate: string;
  const runs = {} as Record<'sales' | 'failed' | 'waiting' | 'regions' | 'long', Run>;

  beforeAll(async () => {
    [smtp, browser] = await Promise.all([startSmtpServer(), launchBrowser(CHROMIUM)]);
    project = await TestProject.create({ ...FILES, ...PROMOTION_ENVIRONMENTS });
    gate = join(project.folder, 'gate');
    server = await project.start({ env: { SMTP_URL: smtp.url } });
    const { client } = server;
    const trigger = (pipeline: string, params: Record<string, string> = {}) =>
      client.trigger(pipeline, { environment: 'dev', params });
    runs.long = await trigger('long', { gate });
    runs.failed = await trigger('import-orders');
    runs.regions = await trigger('regions', { note: HOSTILE });
    const settled = async () => {
      const { items } = await client.runs({ env: 'dev', limit: 100 });
      const done = items.filter((run) => run.finishedAt !== null).map(({ pipeline }) => pipeline);
      return done.length === 14 && done.includes('import-orders') && done.includes('regions') ? items : null;
    };
    const items = await server.when('everything but the waiting and the long run', settled);
    const newest = (pipeline: string) => items.find((run) => run.pipeline === pipeline) as Run;
    [runs.sales, runs.waiting] = [newest('sales'), newest('report')];
    await smtp.waitForMails(1);
    tab = await openTab(browser, { url: server.url });
    await signIn(tab, await client.loginCode());
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await smtp?.close();
    const left = project?.processes();
    await project?.destroy();
    expect(left).toEqual([]);
  });
  afterEach(() => {
    expect(tab.faults.splice(0)).toEqual([]);
  });

  describe('signing in', () => {
    test('a one-time code opens the door once and leaves the address; without one the page asks for the token', async () => {
      expect(new URL(tab.page.url()).hash).toBe('');
      const other = await openTab(browser, { url: server.url });
      const code = await server.client.loginCode();
      await signIn(other, code);
      await other.context.clearCookies();
      await other.page.goto(`/?again#code=${code}`);
      await other.page.getByTestId('sign-in').getByText(/code/i).first().waitFor();
      expect(await accessibilityViolations(other)).toEqual([]);

      await other.page.getByTestId('token').fill('not the token, but long enough');
      await other.page.keyboard.press('Enter');
      await other.page.getByText(/token/i).and(other.page.locator('[class*=error]')).waitFor();
      await other.page.getByTestId('token').fill(server.token);
      await other.page.keyboard.press('Enter');
      await other.page.getByTestId('needs-me').waitFor();
      await other.context.close();
    });
  });

  test('the first page loads at most 200 kB of JavaScript (gzip)', async () => {
    const fresh = await openTab(browser, { url: server.url });
    const scripts: Promise<Buffer>[] = [];
    fresh.page.on('response', (response) => {
      if (response.url().endsWith('.js')) scripts.push(response.body());
    });
    await signIn(fresh, await server.client.loginCode());
    await fresh.page.getByTestId('newest').waitFor();
    const bytes = (await Promise.all(scripts)).reduce((sum, script) => sum + gzipSync(script).length, 0);
    expect(bytes).toBeGreaterThan(100_000); // it was counted at all
    expect(bytes).toBeLessThan(200_000);
    await fresh.context.close();
  });

  test('a broken commit of a followed branch is shown with its place, and that the last release goes on', async () => {
    const repo = await TestRepository.create();
    await repo.commit({ 'dags/mistaken.yaml': FILES['dags/mistaken.yaml'] ?? '' });
    await server.client.follow('dev', `${repo.folder}#main`);
    await tab.page.goto('/?env=dev');
    const card = tab.page.getByTestId('follow-problem');
    for (const text of [`dev follows ${repo.folder}#main`, 'The last release goes on', /dags\/mistaken\.yaml:\d+:\d+/])
      await card.filter({ hasText: text }).waitFor();
    expect(await accessibilityViolations(tab)).toEqual([]);
    await server.client.unfollow('dev');
    await card.waitFor({ state: 'detached' });
    await repo.remove();
  });

  describe('what a user sees', () => {
    /** Text of an element once it holds everything wanted. */
    async function shows(testId: string, ...wanted: readonly (string | RegExp)[]): Promise<void> {
      const element = tab.page.getByTestId(testId).first();
      for (const text of wanted) await element.filter({ hasText: text }).waitFor();
    }

    const task = (run: Run, name: string, rest = '') => `/runs/${run.id}/tasks/${name}${rest}`;
    const PAGES: readonly (readonly [string, () => string, () => Promise<void>])[] = [
      [
        'Today',
        () => '/',
        async () => {
          await shows('needs-me', 'mistaken does not load: 1 problem', 'import-orders', 'task "load" failed');
          await shows('active', 'long', 'report', '2026-01-01');
          await shows('health', /sales.*12 good/, /import-orders.*1 failed/);
          await shows('newest', 'sales');
          expect(await tab.page.getByTestId('need').count()).toBe(2);
        },
      ],
      [
        'pipelines',
        () => '/pipelines',
        async () => {
          await shows('pipelines', 'Last 30 runs', 'next fire');
          await shows('pipeline-sales', `Daily sales ${HOSTILE}`, 'daily at 00:00 (UTC)', 'success');
          await shows('pipeline-numbers', /next in/);
          await shows('pipeline-mistaken', '1 problem in the file');
          await shows('problems', 'mistaken.yaml:3:8', 'Did you mean "run"?');
          const bars = tab.page.getByTestId('pipeline-sales').getByTestId('run-bars');
          expect(await bars.getAttribute('aria-label')).toBe('Last 12 runs: 12 success');
        },
      ],
      [
        'the grid of a pipeline, with a cell chosen',
        () => `/pipelines/sales/grid?sel=${runs.sales.id}/fit`,
        async () => {
          await shows('grid-panel', 'fit', 'success', '2026-01-12', runs.sales.id);
          await shows('grid-active', 'fit, 2026-01-12: success');
          await tab.page.getByText('12 runs').waitFor();
        },
      ],
      [
        'the graph of a pipeline',
        () => '/pipelines/sales/graph',
        async () => {
          await shows('node-extract', 'shell · writes orders');
          await shows('node-fit', 'shell');
          expect(await tab.page.locator('.react-flow__edge').count()).toBe(1);
        },
      ],
      [
        'the metrics over the runs',
        () => '/pipelines/sales/metrics',
        async () => {
          await shows('metric-extract-rows', 'rows', '2026-01-12', '112');
          await shows('metric-fit-error', 'error', '0.87');
          expect(await tab.page.locator('canvas').count()).toBe(2);
        },
      ],
      [
        'the next fires of a pipeline',
        () => '/pipelines/numbers/schedule',
        () => shows('next-fires', '2090-01-02 00:00', '+01:00', '2090-01-01'),
      ],
      [
        'the YAML of a broken pipeline',
        () => '/pipelines/mistaken/source',
        async () => {
          await shows('source', 'rn: echo 1');
          await shows('problems', 'The key "rn"');
        },
      ],
      [
        'runs, filtered',
        () => '/runs?state=success,failed',
        async () => {
          await shows(`run-${runs.sales.id}`, 'success', 'sales', '2026-01-12', '2/2', 'schedule');
          await shows(`run-${runs.failed.id}`, 'failed', 'import-orders', 'manual', 'task "load" failed');
          expect(await tab.page.getByTestId('runs').locator('tbody tr').count()).toBe(14);
        },
      ],
      [
        'a run: timeline, and the way to the log that tells why it failed',
        () => `/runs/${runs.failed.id}`,
        async () => {
          await shows('state', 'failed');
          await shows('reason', 'load');
          await shows('timeline', 'fetch', 'load', 'report');
          expect(await tab.page.getByTestId('failed-log').getAttribute('href')).toContain(task(runs.failed, 'load'));
          expect(await tab.page.getByTestId('tab-why').count()).toBe(0);
        },
      ],
      [
        'the graph of a run, with states',
        () => `/runs/${runs.failed.id}?tab=graph`,
        async () => {
          await shows('node-fetch', 'success');
          await shows('node-load', 'failed');
          await shows('node-report', 'upstream failed');
        },
      ],
      [
        'the task runs of a run with a fan-out',
        () => `/runs/${runs.regions.id}?tab=tasks`,
        async () => {
          await shows('task-runs', 'name=north', 'name=west', 'total');
          expect(await tab.page.getByTestId('task-runs').locator('tbody tr').count()).toBe(5);
        },
      ],
      ['why a run waits', () => `/runs/${runs.waiting.id}?tab=why`, () => shows('why', 'build', 'data', 'numbers.day')],
      [
        'parameters and source of a run',
        () => `/runs/${runs.regions.id}?tab=config`,
        () => shows('config', 'note', HOSTILE),
      ],
      [
        'the log of a failed task, with colours',
        () => task(runs.failed, 'load'),
        async () => {
          await shows('log', 'WARN the column is empty', `relation orders does not exist ${HOSTILE}`, 'exit code 3');
          const [warn, plain] = await tab.page.locator('[data-line="1"] span').evaluateAll((spans) => {
            const colours = spans.filter((one) => one.children.length === 0).map((one) => getComputedStyle(one).color);
            return [colours.at(-1), getComputedStyle(document.body).color];
          });
          expect(warn).not.toBe(plain);
        },
      ],
      ['attempts', () => task(runs.failed, 'load', '?tab=attempts'), () => shows('attempts', 'failed', 'exit code 3')],
      [
        'the command and its variables',
        () => task(runs.sales, 'fit', '?tab=command'),
        async () => {
          await shows('command', 'cat "$PATH_ORDERS/day.txt"');
          await shows('variables', 'DS', '2026-01-12');
        },
      ],
      [
        'what a task published',
        () => task(runs.sales, 'extract', '?tab=data'),
        () => shows('published', 'orders', 'sales/orders/ds=2026-01-12'),
      ],
      [
        'the metrics of a task',
        () => task(runs.sales, 'extract', '?tab=metrics'),
        () => shows('task-metrics', 'rows', '112'),
      ],
      ['outputs as text', () => task(runs.regions, 'region', '?tab=data'), () => shows('outputs', 'note', HOSTILE)],
      [
        'a summary as text',
        () => task(runs.regions, 'region', '?tab=summary'),
        () => shows('summary', 'Region', HOSTILE),
      ],
      [
        'a fan-out',
        () => task(runs.regions, 'region', '?tab=fan-out&map=1'),
        () => shows('task-runs', 'name=north', 'name=south', 'name=east', 'name=west'),
      ],
      [
        'alerts',
        () => '/alerts',
        () => shows('alerts', 'run.failed', 'team@example.com', 'sent', `run ${runs.failed.id}`),
      ],
      [
        'system',
        () => '/system',
        async () => {
          await shows('pools', 'dev', 'default', /of 6/);
          await shows('environments', 'dev', 'active', 'prod', 'no release');
        },
      ],
      ['an environment without anything', () => '/runs?env=prod', () => shows('notice', 'No runs in prod yet')],
      ['an address that is none', () => '/nowhere', () => shows('notice', 'There is no such page')],
      ['a run that is none', () => '/runs/123456', () => shows('notice', /123456/, 'Try again')],
    ];

    test.each(PAGES)(
      '%s: real data, readable by everybody in both modes, and text stays text',
      async (...[, path, see]) => {
        const missing = path().includes('123456');
        await tab.page.goto(path().replace(/^([^?]*)$/, '$1?env=dev'));
        await see();
        expect(await accessibilityViolations(tab)).toEqual([]);
        expect(await tab.page.evaluate(() => 'broken' in window)).toBe(false);
        expect(await tab.page.locator('img[src="x"]').count()).toBe(0);
        // The browser itself notes an answer of 404 on the console.
        if (missing) expect(tab.faults.splice(0).join()).toMatch(/404/);
      },
    );
  });

  test('a page that nobody touches asks for nothing, ten minutes long', async () => {
    const idle = await openTab(browser, { url: server.url });
    await idle.page.clock.install();
    await signIn(idle, await server.client.loginCode());
    // The stream of the page that is left must not count as one of the next.
    await until('the first stream', () => idle.calls.some((call) => call.startsWith('STREAM')));
    const paths = ['/', '/pipelines', '/pipelines/sales/metrics', '/runs', `/runs/${runs.waiting.id}?tab=why`];
    for (const path of [...paths, '/environments', '/audit']) {
      idle.calls.length = 0;
      await idle.page.goto(path);
      await idle.page.waitForLoadState('networkidle');
      await idle.page.clock.runFor(5000); // events gather, then one read
      await idle.page.waitForLoadState('networkidle');
      const before = idle.calls.length;
      await idle.page.clock.fastForward('10:00');
      await idle.page.clock.runFor(2000);
      expect([path, idle.calls.slice(before)]).toEqual([path, []]);
      expect([path, idle.calls.filter((call) => call.startsWith('STREAM')).length]).toEqual([path, 1]);
    }
    await idle.context.close();
  });

  describe('by keyboard', () => {
    const press = async (...keys: readonly string[]) => {
      for (const key of keys) await tab.page.keyboard.press(key);
    };

    test('pages, search, filter and help', async () => {
      await tab.page.goto('/?env=dev');
      await tab.page.getByTestId('needs-me').waitFor();
      await press('Tab');
      expect(await tab.page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the page');
      for (const [key, title] of [
        ['r', 'Runs'],
        ['e', 'Environments'],
        ['l', 'Releases'],
        ['a', 'Alerts'],
        ['u', 'Audit'],
        ['s', 'System'],
        ['t', 'Today'],
        ['p', 'Pipelines'],
      ] as const) {
        await press('g', key);
        await tab.page.getByRole('heading', { level: 1, name: title }).waitFor();
      }
      await tab.page.getByTestId('pipeline-sales').waitFor();
      await press('/');
      await tab.page.keyboard.type('bank');
      await tab.page.getByTestId('pipeline-sales').waitFor({ state: 'detached' });
      expect(new URL(tab.page.url()).searchParams.get('q')).toBe('bank');
      await press('Escape');
      await tab.page.getByTestId('pipeline-sales').waitFor();
      await press('?');
      await tab.page.getByTestId('help').getByText('search pipelines').waitFor();
      await press('Escape');
      await tab.page.getByTestId('help').waitFor({ state: 'detached' });
      await press('Control+k');
      await tab.page.getByRole('dialog').getByRole('textbox').waitFor();
      await tab.page.keyboard.type('sales: metrics');
      await tab.page.getByRole('dialog').getByText('sales: metrics').waitFor();
      await press('Enter');
      await tab.page.waitForURL('**/pipelines/sales/metrics*');
    });

    test('the grid moves with arrows and opens with Enter; a run turns its tabs by number', async () => {
      await tab.page.goto('/pipelines/sales/grid?env=dev');
      await tab.page.getByTestId('grid-active').waitFor();
      await press('ArrowRight', 'ArrowLeft', 'j');
      await tab.page.getByTestId('grid-active').getByText('fit, 2026-01-11: success').waitFor();
      await press('k', 'k');
      await tab.page.getByTestId('grid-active').getByText('run, 2026-01-11: success').waitFor();
      await press('Enter');
      await tab.page.getByTestId('timeline').waitFor();
      await press('2');
      await tab.page.getByTestId('node-fit').waitFor();
      await press(']');
      await tab.page.getByRole('heading', { level: 1, name: '2026-01-12' }).waitFor();
      expect(new URL(tab.page.url()).searchParams.get('tab')).toBe('graph');
    });

    test('a run is triggered with parameters, and rerun after its failure', async () => {
      await tab.page.goto('/pipelines/regions/grid?env=dev');
      await tab.page.getByTestId('trigger').waitFor();
      await press('t');
      const note = tab.page.getByTestId('param-note');
      await note.waitFor();
      await note.focus();
      await press('Control+a');
      await tab.page.keyboard.type('by hand');
      await press('Enter');
      await tab.page.waitForURL('**/runs/*');
      await tab.page.getByTestId('state').getByText('success').waitFor();
      await press('4');
      await tab.page.getByTestId('config').getByText('by hand').waitFor();

      await tab.page.goto(`/runs/${runs.failed.id}`);
      await tab.page.getByTestId('rerun').waitFor();
      await press('r');
      await tab.page.waitForURL((url) => !url.pathname.endsWith(`/${runs.failed.id}`));
      await tab.page.getByTestId('timeline').getByText(`taken over from ${runs.failed.id}`).waitFor();
      await tab.page.getByTestId('reason').waitFor();
    });

    test('a run is marked with a reason; several are chosen and marked at once', async () => {
      await tab.page.goto(`/runs/${runs.failed.id}`);
      await tab.page.getByTestId('rerun-more').click();
      await tab.page.getByTestId('mark').click();
      await tab.page.getByTestId('reason-text').fill('loaded by hand');
      expect(await accessibilityViolations(tab)).toEqual([]);
      await tab.page.getByTestId('reason-submit').click();
      await tab.page.getByTestId('marked').getByText('Marked success by', { exact: false }).waitFor();
      expect(await tab.page.getByTestId('state').first().textContent()).toMatch(/failed/i);

      await tab.page.goto('/runs?env=dev&state=success');
      const choices = tab.page.getByTestId('runs').locator('tbody input[type=checkbox]');
      await choices.first().focus();
      await press('Space');
      await tab.page.getByTestId('bulk-bar').getByText('1 chosen').waitFor();
      await choices.nth(2).click({ modifiers: ['Shift'] });
      await tab.page.getByTestId('bulk-bar').getByText('3 chosen').waitFor();
      expect(await accessibilityViolations(tab)).toEqual([]);
      await tab.page.getByTestId('bulk-mark').click();
      await tab.page.getByRole('dialog').getByText('failed', { exact: true }).click();
      await tab.page.getByTestId('reason-text').fill('wrong source');
      await tab.page.getByTestId('reason-submit').click();
      await tab.page.getByTestId('toasts').getByText('Done for 3 runs').waitFor();
      await tab.page.getByTestId('runs').getByText('wrong source', { exact: false }).nth(2).waitFor();
      await tab.page.getByTestId('bulk-bar').waitFor({ state: 'detached' });
    });
  });

  test('a log of 20,000 lines: search, matches, links to lines, wrap; and what comes live, without a reload', async () => {
    const { page } = tab;
    const state = page.getByTestId('state').first();
    await page.goto(`/runs/${runs.long.id}/tasks/write`);
    await page.evaluate(() => Object.assign(window, { same: true }));
    await page.getByTestId('log').getByText('waiting for the gate').waitFor();
    await page.getByTestId('log').getByText('20,001 lines').waitFor();
    expect(await page.locator('[data-line]').count()).toBeLessThan(200);
    await state.getByText('running').waitFor();

    await page.keyboard.press('/');
    await page.keyboard.type('line 777 of');
    await page.getByTestId('log-matches').getByText('1 line').waitFor();
    await page.keyboard.press('Enter');
    await page.locator('[data-line="777"] mark').waitFor();
    await page.locator('[data-line="777"] a').click();
    await page.locator('[data-line="779"] a').click({ modifiers: ['Shift'] });
    await page.waitForURL('**#L777-L779');
    expect(await page.locator('[data-chosen]').count()).toBe(3);
    await page.keyboard.press('w');
    await page.locator('[data-wrap]').waitFor();
    await page.keyboard.press('w');
    await page.keyboard.press('Escape');
    await page.keyboard.press('G');
    await page.getByTestId('log').getByText('waiting for the gate').waitFor();

    await writeFile(gate, '');
    await page.getByTestId('log').getByText('the gate is open').waitFor();
    await state.getByText('success').waitFor();
    await page.getByTestId('log').getByText('complete').waitFor();
    expect(await page.evaluate(() => 'same' in window)).toBe(true);

    await page.goto(`/runs/${runs.long.id}/tasks/write#L15000`);
    await page.locator('[data-line="15000"][data-chosen]').waitFor();
  });

  test('a run is executed again from its page, which tells what came out without a reload', async () => {
    const { page } = tab;
    await page.goto(`/runs/${runs.sales.id}`);
    await page.getByTestId('rerun-more').click();
    await page.getByTestId('verify').click();
    await page.getByTestId('verified').getByText('Verified: reproducible').waitFor();
    await page.getByTestId('verified').getByText('The file is the same.').waitFor();
    expect(await accessibilityViolations(tab)).toEqual([]);
    await page.getByTestId('verified').getByRole('link').click();
    await page.getByText(`whether run ${runs.sales.id} writes the same`).first().waitFor();
  });

  test('each item whose gate asks is answered on the page of the run; then checks, groups and marks are told over the runs', async () => {
    const { page } = tab;
    const { id } = await server.client.trigger('prices', { environment: 'dev', params: {} });
    await page.goto(`/runs/${id}?env=dev`);
    const questions = page.getByTestId('questions');
    await questions.getByText('All 2 items of read at once').waitFor();
    await questions.getByText('gate does not hold: `metrics.quality > 0.8`').first().waitFor();
    expect(await accessibilityViolations(tab)).toEqual([]);
    await questions.getByLabel('Comment on read region=us').fill('a quiet week');
    await questions.getByLabel('Continue read region=us').click();
    await questions.getByText('region=us').waitFor({ state: 'detached' });
    await questions.getByLabel('Continue read region=eu').click();
    await page.getByTestId('state').getByText('success').first().waitFor();
    await page.goto(`/runs/${id}/tasks/read?map=1`);
    await page.getByText(/^approved by .*: a quiet week; gate does not hold/).waitFor();

    await page.goto('/pipelines/prices/checks?env=dev');
    await page.getByTestId('checks').getByText('1 of 1 runs not passed').first().waitFor();
    await page.getByTestId('checks').getByText('▲ warned').last().waitFor();
    expect(await accessibilityViolations(tab)).toEqual([]);

    await server.client.mark(id, { as: 'failed', reason: 'too late', task: 'use' });
    await page.goto(`/pipelines/prices/grid?env=dev&sel=${id}/use`);
    const active = page.getByTestId('grid-active');
    await active.getByText(/^use, .*: success\. Marked failed by .*: too late$/).waitFor();
    await page.getByTestId('grid-panel').getByText('too late').waitFor();
    await page.getByTestId('grid-group').click();
    expect(await page.getByTestId('grid-group').getAttribute('aria-expanded')).toBe('false');
    await active.getByText(/^group region: use, /).waitFor();
    await page.keyboard.press('j');
    await active.getByText(/^tell, /).waitFor();
    expect(await accessibilityViolations(tab)).toEqual([]);
  });

  describe('promotions', () => promotionTests(() => ({ server, tab })));

  test('a server that stops is told, and its return is noticed without a reload', async () => {
    const { page } = tab;
    // The program of both pages is loaded; the rows of the unfiltered list are not.
    await page.goto('/runs?env=dev&state=failed');
    await page.getByTestId('runs').waitFor();
    await page.getByTestId('nav-pipelines').click();
    await page.getByTestId('pipeline-sales').waitFor();
    await page.getByTestId('live').getByText('Live').waitFor();
    const { port } = new URL(server.url);
    await server.stop();
    await page.getByTestId('live').getByText('Reconnecting').waitFor();
    await page.getByTestId('pipeline-sales').waitFor();
    await page.getByTestId('nav-runs').click();
    await page.getByTestId('notice').getByText('The server does not answer.').waitFor();
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(1);
    expect(await accessibilityViolations(tab)).toEqual([]);
    server = await project.start({ env: { SLUICE_PORT: port } });
    // The stream comes back by itself and reads again what could not be read.
    await page.getByTestId(`run-${runs.sales.id}`).waitFor();
    await page.getByTestId('live').getByText('Live').waitFor();
    // What the browser says about refused connections is no fault of the page.
    expect(tab.faults.splice(0).filter((fault) => !fault.includes('ERR_'))).toEqual([]);
  });
});
