import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestProject, type RunningStandalone } from './standalone-fixture.ts';

let project: TestProject;
let running: RunningStandalone;
/** Nobody but a canary makes this file. */
let canary: string;

const payloads = (): string[] => [
  `$(touch ${canary})`,
  `\`touch ${canary}\``,
  `"; touch ${canary}; echo "`,
  `'; touch ${canary}; '`,
  `| touch ${canary}`,
  `\n touch ${canary}\n`,
  "'; drop table run; --",
  '../../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '<script>alert(1)</script>',
  '%0a%0dset-cookie: a=b',
  '${{ params.name }}',
  '{{constructor.constructor("return process")()}}',
  '__proto__',
  '-n --help',
  '::output name=evil::',
  '\u001b]0;title\u0007\u202e',
];

const GREET = `
name: greet
params: { name: { type: string, default: nobody } }
paths: { out: out }
tasks:
  shell:
    run: printf '%s\\n' "$PARAM_NAME" \${{ params.name }} "hello \${{ params.name }}" > "$PATH_OUT/said.txt"
    writes: [out]
  sql:
    sql: "select \${{ params.name }} as said, getvariable('PARAM_NAME') as also"
  node:
    node: greet/greet.mjs#greet
`;
/** A fan-out over whatever the first task says. */
const FAN = `
name: fan
params: { items: { type: array, default: [] } }
paths: { parts: parts }
tasks:
  list:
    run: printf 'items=%s\\n' "$PARAM_ITEMS" > "$SLUICE_OUTPUT"
  each:
    needs: [list]
    matrix: { item: "\${{ tasks.list.outputs.items }}" }
    run: printf '%s\\n' \${{ matrix.item }} > "$PATH_PARTS/item.txt"
    writes: [parts]
`;
const OUTPUT = `
name: output
params: { text: { type: string, default: "" } }
tasks:
  say:
    run: |
      printf '%s\\n' "$PARAM_TEXT" "::output $PARAM_TEXT=$PARAM_TEXT::" "::metric name=$PARAM_TEXT value=NaN::" "::progress 1/0 $PARAM_TEXT::"
      printf '%s=%s\\n' "$PARAM_TEXT" "$PARAM_TEXT" > "$SLUICE_OUTPUT"
      printf '%s\\n' "$PARAM_TEXT" > "$SLUICE_METRICS"
      printf '%s\\n' "$PARAM_TEXT" > "$SLUICE_SUMMARY"
      printf 'nul \\0 and \\377 bytes\\n'
`;

beforeAll(async () => {
  project = await TestProject.create({
    'dags/greet.yaml': GREET,
    'dags/greet/greet.mjs': 'export const greet = (ctx) => ({ said: ctx.params.name });\n',
    'dags/fan.yaml': FAN,
    'dags/output.yaml': OUTPUT,
  });
  canary = join(project.folder, 'canary');
  for (const name of [
    '$(touch canary)',
    '`touch canary`',
    "'; drop table run; --",
    '<script>',
    '%0a',
    '-rf',
    'ü\u202e',
  ])
    await project.write(`dags/${name}.yaml`, 'name: fine\ntasks:\n  a:\n    run: "true"\n');
  running = await project.start();
});
afterAll(() => project.destroy());
afterEach(async () => {
  await expect(access(canary)).rejects.toThrow('ENOENT');
  await expect(access(join(project.folder, 'dags', 'canary'))).rejects.toThrow('ENOENT');
  expect(await (await fetch(`${running.url}/healthz`)).json()).toEqual({ ok: true });
});

const outputsOf = async (runId: string, task: string) => (await running.client.taskRun({ runId, task })).outputs;
/** A refusal: 4xx with a code, as JSON that no browser takes for a page. */
async function expectRefusal(response: Response): Promise<void> {
  const body = (await response.json()) as { error: { code: string } };
  expect([Math.floor(response.status / 100), response.headers.get('content-type')]).toEqual([
    4,
    expect.stringContaining('application/json'),
  ]);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(body.error.code).toMatch(/^[a-z_]+$/);
}

describe('a parameter', () => {
  test('reaches shell, SQL and node as it is, and nothing in it is executed', async () => {
    const runs = await Promise.all(
      payloads().map(async (name) => ({ name, run: await running.run('greet', { name }, 90_000) })),
    );
    for (const { name, run } of runs) {
      expect([name, run.state, run.reason]).toEqual([name, 'success', null]);
      expect(await outputsOf(run.id, 'sql')).toEqual({ said: name, also: name });
      expect(await outputsOf(run.id, 'node')).toEqual({ said: name });
    }
  });

  test('with a NUL is refused: a process cannot be given one', async () => {
    const body = JSON.stringify({ environment: 'dev', params: { name: 'a\0b' } });
    const response = await running.request('POST', '/api/v1/pipelines/greet/runs', body);
    await expectRefusal(response);
  });

  test.each(['{"__proto__": {"polluted": true}}', '{"constructor": {"prototype": {"polluted": true}}}'])(
    'that nobody declared is refused: %s',
    async (params) => {
      const body = `{"environment":"dev","params":${params}}`;
      await expectRefusal(await running.request('POST', '/api/v1/pipelines/greet/runs', body));
    },
  );
});

describe('a value that becomes a folder name', () => {
  test('stays inside its path', async () => {
    const items = payloads();
    const run = await running.run('fan', { items }, 90_000);
    expect(run).toMatchObject({ state: 'success', counts: { success: items.length + 1 } });
    const storage = join(project.home, 'storage', 'dev');
    for (const { taskId, mapIndex, mapKey } of run.taskRuns) {
      if (taskId !== 'each') continue;
      expect(mapKey).toMatch(/^item=[\w.+@#~-]*$/);
      expect(await readFile(join(storage, 'fan', 'parts', mapKey, 'item.txt'), 'utf8')).toBe(`${items[mapIndex]}\n`);
    }
    expect(await readdir(join(storage, 'fan', 'parts'))).toHaveLength(items.length);
    for (const name of await readdir(storage)) expect(['.sluice', 'fan', 'greet', 'odd']).toContain(name);
    expect(await readdir(join(project.home, 'storage'))).toEqual(['dev']);
  });
});

describe('what a task says', () => {
  test('is text: outputs, metrics, summary and log take it or leave it, and the run goes on', async () => {
    for (const text of payloads()) {
      const run = await running.run('output', { text });
      expect(['success', 'failed']).toContain(run.state);
      const { lines } = await running.client.log({ runId: run.id, task: 'say' });
      expect(lines.map((line) => line.text).join('\n')).toContain(text.trim().split('\n')[0]);
    }
    expect(({} as { evil?: unknown }).evil).toBeUndefined();
  });
});

describe('an address', () => {
  const PLACES = [
    (it: string) => `/api/v1/runs/${it}`,
    (it: string) => `/api/v1/runs/${it}/why`,
    (it: string) => `/api/v1/runs/1/tasks/${it}`,
    (it: string) => `/api/v1/runs/1/tasks/shell/log?map=${it}`,
    (it: string) => `/api/v1/pipelines/${it}?env=dev`,
    (it: string) => `/api/v1/pipelines/greet?env=${it}`,
    (it: string) => `/api/v1/paths?env=dev&ref=${it}`,
    (it: string) => `/api/v1/paths?env=dev&ref=greet.out&at=${it}`,
    (it: string) => `/api/v1/runs?env=dev&cursor=${it}`,
    (it: string) => `/api/v1/runs?env=dev&state=${it}`,
    (it: string) => `/api/v1/events?topics=${it}`,
  ];
  test('with a payload in any place is refused with a code', async () => {
    for (const place of PLACES)
      for (const payload of [...payloads(), 'a\0b', '1; select pg_sleep(9)'])
        await expectRefusal(await running.request('GET', place(encodeURIComponent(payload))));
  });

  test('a search may be for anything', async () => {
    const { items } = await running.client.runs({ env: 'dev', pipeline: 'greet' });
    for (const payload of payloads()) {
      const q = encodeURIComponent(payload);
      const found = await running.request('GET', `/api/v1/runs/${items[0]?.id}/tasks/shell/log/search?q=${q}`);
      expect(found.status).toBeLessThan(500);
    }
  });

  test('a command with a payload in its body is refused with a code', async () => {
    for (const payload of payloads()) {
      const bodies: [string, unknown][] = [
        ['/api/v1/pipelines/greet/runs', { environment: payload }],
        ['/api/v1/pipelines/greet/runs', { environment: 'dev', at: payload }],
        ['/api/v1/backfills', { environment: 'dev', pipeline: payload, from: '2026-01-01', to: '2026-01-02' }],
        ['/api/v1/runs/1/rerun', { mode: payload }],
        ['/api/v1/runs/1/rerun', { mode: 'from', task: payload }],
        ['/api/v1/alerts/test', { environment: payload }],
        ['/api/v1/pipelines/greet/pause', { environment: payload }],
      ];
      for (const [path, body] of bodies) await expectRefusal(await running.request('POST', path, JSON.stringify(body)));
    }
  });

  test('the tables are all still there', async () => {
    expect((await running.client.runs({ env: 'dev' })).items.length).toBeGreaterThan(20);
    expect(await running.run('output', { text: 'fine' })).toMatchObject({ state: 'success' });
  });
});

describe('a pipeline file', () => {
  test('with a strange name is a pipeline or a problem with its place, never a command', async () => {
    const dev = (await running.client.environments()).find(({ name }) => name === 'dev');
    const listed = (await running.client.pipelines('dev')).map(({ name }) => name);
    expect(listed).toEqual(expect.arrayContaining(['fan', 'greet', 'output']));
    for (const { line, column, message } of dev?.problems ?? [])
      expect([line > 0, column > 0, message.length > 0]).toEqual([true, true, true]);
    const checked = await project.sluice('validate', '--json');
    expect([0, 3]).toContain(checked.code);
  });

  test.each(['$(touch canary)', '`id`', '../../x', '/etc/passwd', '<script>', 'a\\0b', '%0a', 'x; drop table run'])(
    'whose path is at %j is refused or contained',
    async (at) => {
      const yaml = `name: odd\npaths: { out: ${JSON.stringify(at)} }\ntasks:\n  a:\n    run: echo x > "$PATH_OUT/x"\n    writes: [out]\n`;
      await project.write('dags/odd.yaml', yaml);
      const found = await running.when('the file', async () => {
        const odd = (await running.client.pipelines('dev')).find(({ name }) => name === 'odd');
        if (!odd) return null;
        const { source } = await running.client.pipeline('odd', 'dev');
        return source === yaml ? odd : null;
      });
      if (found.problems.length === 0) await running.run('odd');
      expect((await readdir(join(project.home, 'storage'))).sort()).toEqual(['dev']);
    },
  );
});
