import type { Browser, Page } from 'playwright-core';
import { launchBrowser, openTab, signIn } from '../apps/web/fixture/browser.ts';
import { BIG_FILES, bigRuns, GRID_RUNS, TASKS } from './api-reads.ts';
import { compile, putInPlace } from './big-graphs.ts';
import { openBenchSystem, serveSystem, type BenchSystem } from './bench-system.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { commitFloorMs } from './floors.ts';
import { median, quantile } from './quantile.ts';

const NODES = 5000;
const LAYER = 100;
const FRAME_MS = 1000 / 60;
const SIZES = { whole: { times: 7, lagRuns: 5 }, small: { times: 1, lagRuns: 1 } };
/** Of the pipeline whose run is watched: each waits a little and says when it ends. */
const WATCHED = 10;

const files = {
  ...BIG_FILES,
  'one.yaml': 'name: one\ntasks: { a: { node: noop.mjs#noop } }\n',
  'graph.yaml': 'name: graph\ntasks: { t0: { node: noop.mjs#noop } }\n',
  'watched.yaml': `name: watched\ntasks:\n${Array.from(
    { length: WATCHED },
    (_, i) => `  t${i}: { ${i === 0 ? '' : `needs: t${i - 1}, `}node: slow.mjs#slow }\n`,
  ).join('')}`,
  'slow.mjs': `import { appendFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
export async function slow(ctx) {
  await setTimeout(400);
  appendFileSync('STAMPS', ctx.env.SLUICE_TASK_ID + ' 0 ' + Date.now() + '\\n');
}
`,
};

/** Layers of a hundred; each task after two of the layer before. */
function graphValue(): Record<string, unknown> {
  const tasks: Record<string, unknown> = {};
  for (let i = 0; i < NODES; i++) {
    const needs = i < LAYER ? [] : [i - LAYER, i % LAYER === 0 ? i - 1 : i - LAYER - 1].map((before) => `t${before}`);
    tasks[`t${i}`] = { ...(needs.length > 0 && { needs }), node: 'noop.mjs#noop' };
  }
  return { name: 'graph', tasks };
}

export const webView: Benchmark = {
  name: 'L15',
  title: `the web view in Chromium, signed in: from the address to a page that answers a key or a click, and from a task's end to an open page that shows it`,
  hasSmallForm: true,
  measure: async ({ small }) => {
    const { times, lagRuns } = SIZES[small ? 'small' : 'whole'];
    const chromium = process.env.SLUICE_TEST_CHROMIUM;
    if (!chromium) throw new Error('no Chromium was found: install it, or set SLUICE_TEST_CHROMIUM to its executable');
    const system = await openBenchSystem({ concurrency: 8, files });
    putInPlace(system, compile(graphValue()));
    const served = await serveSystem(system);
    let browser: Browser | null = null;
    try {
      await bigRuns(system);
      await system.run(['one']);
      await system.installation.db.query('analyze');
      browser = await launchBrowser(chromium);
      const tab = await openTab(browser, { url: served.url });
      await signIn(tab, served.loginCode());
      const { page } = tab;
      const first = await graphMs(page, 'graph', NODES);
      const measured = {
        grid: [] as number[],
        fewGrid: [] as number[],
        graph: [] as number[],
        fewGraph: [] as number[],
      };
      // In turns: whatever else the machine does meets all of them.
      for (let i = 0; i < times; i++) {
        measured.grid.push(await gridMs(page, 'big'));
        measured.fewGrid.push(await gridMs(page, 'one'));
        measured.graph.push(await graphMs(page, 'graph', NODES));
        measured.fewGraph.push(await graphMs(page, 'watched', WATCHED));
      }
      const bare = (await commitFloorMs(system.databaseUrl)) + FRAME_MS;
      const lags: number[] = [];
      await system.run(['watched']);
      await system.takeStamps();
      for (let i = 0; i < lagRuns; i++) lags.push(...(await liveLagsMs(system, page)));
      if (tab.faults.length > 0) throw new Error(tab.faults.join('\n'));
      const opened = (what: string, ms: number, promise: number, few: readonly number[], floorIs: string): Figure => ({
        ...{ what, unit: 's', value: ms / 1000, promise, floor: median(few) / 1000, floorIs, promisedFloor: null },
      });
      const lag = (what: string, value: number): Figure => ({
        ...{
          what,
          unit: 'ms',
          value,
          promise: 500,
          floor: bare,
          floorIs: 'a bare commit and a frame of sixty a second',
        },
        promisedFloor: null,
      });
      const few = measured.fewGraph;
      return [
        opened(
          `grid of ${GRID_RUNS} × ${TASKS.toLocaleString('en')}`,
          median(measured.grid),
          1.5,
          measured.fewGrid,
          'a grid of 1 × 1',
        ),
        opened(
          `graph of ${NODES.toLocaleString('en')} tasks, the first time after its release`,
          first,
          3,
          few,
          `a graph of ${WATCHED}`,
        ),
        opened(`graph of ${NODES.toLocaleString('en')} tasks`, median(measured.graph), 3, few, `a graph of ${WATCHED}`),
        lag('end of a task until it is shown, p50', median(lags)),
        lag('end of a task until it is shown, p99', quantile(lags, 0.99)),
      ];
    } finally {
      await browser?.close();
      await served.close();
      await system.close();
    }
  },
};

/** Until a key chooses a cell and the panel tells about it. */
async function gridMs(page: Page, pipeline: string): Promise<number> {
  const began = performance.now();
  await page.goto(`/pipelines/${pipeline}/grid`);
  await page.getByTestId('grid-canvas').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.getByTestId('grid-panel').waitFor();
  return performance.now() - began;
}

/** Until a click on a task tells about it. */
async function graphMs(page: Page, pipeline: string, tasks: number): Promise<number> {
  const began = performance.now();
  await page.goto(`/pipelines/${pipeline}/graph`);
  const node = page.locator('.react-flow__node').first();
  await node.waitFor();
  await node.click();
  await page.locator('dt', { hasText: 'Runs when' }).waitFor();
  const took = performance.now() - began;
  const drawn = await page.locator('.react-flow__node').count();
  if (drawn === 0 || drawn > tasks) throw new Error(`${drawn} of ${tasks} tasks are drawn`);
  return took;
}

/** Of each task of a run whose page is open: from its end, by its own clock, to the frame that shows it as ended. */
async function liveLagsMs(system: BenchSystem, page: Page): Promise<number[]> {
  const run = await system.installation.commands.trigger({
    ...{ pipeline: 'watched', environment: 'dev', params: {}, actor: 'the benchmark' },
  });
  await page.goto(`/runs/${run}?tab=tasks`);
  const seen = await page.evaluate(async (tasks) => {
    const at: Record<string, number> = {};
    const already = new Set<string>();
    for (let first = true; Object.keys(at).length + already.size < tasks;) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      if (performance.now() > 60_000) throw new Error(`only ${Object.keys(at).join(', ')} are shown as ended`);
      const rows = [...document.querySelectorAll('[data-testid=task-runs] tbody tr')];
      for (const row of rows) {
        const task = row.querySelector('a')?.textContent ?? '';
        if (!/success/i.test(row.textContent ?? '') || task in at || already.has(task)) continue;
        // What had ended before the page was there says nothing.
        if (first) already.add(task);
        else at[task] = Date.now();
      }
      if (rows.length > 0) first = false;
    }
    return at;
  }, WATCHED);
  const stamps = await system.takeStamps();
  return stamps.flatMap(({ task, endMs }) => (seen[task] === undefined ? [] : [seen[task] - endMs]));
}
