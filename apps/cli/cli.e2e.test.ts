import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ContractServer, eventStream, TOKEN } from './fixture/contract-server.ts';
import { aRunDetail } from './fixture/records.ts';
import { packageRoot } from './package-root.ts';

const BIN = join(packageRoot(), 'bin', 'sluice.mjs');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const children = new Set<ChildProcess>();
/** A test that fails must not leave a program waiting behind. */
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** The built program as its own process; nothing of this process's environment but the path. */
function sluice(
  cwd: string,
  argv: readonly string[],
  options: { env?: Record<string, string>; onErr?: (text: string, kill: () => void) => void } = {},
): Promise<Ended> {
  const env = { PATH: process.env.PATH ?? '', HOME: cwd, ...options.env };
  const child = spawn(process.execPath, [BIN, ...argv], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  child.once('close', () => children.delete(child));
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    options.onErr?.(err, () => child.kill('SIGINT'));
  });
  return new Promise((done) => child.on('close', (code) => done({ code, out, err })));
}

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('a new project', () => {
  test('from init with every template validates, renders, and names the schema to the editor', async () => {
    const made = await sluice(root, ['init', 'shop', '--template', 'etl', '-o', 'name']);
    expect(made).toMatchObject({ code: 0, err: expect.stringContaining('check it: cd shop && sluice validate') });
    for (const file of made.out.trim().split('\n')) await access(join(root, 'shop', file));
    expect((await sluice(root, ['init', 'shop', '--template', 'ml'])).code).toBe(0);

    const shop = join(root, 'shop');
    const checked = await sluice(join(shop, 'dags'), ['validate']);
    expect(checked).toMatchObject({ code: 0, out: '' });
    expect(checked.err).toMatch(/^6 files checked in \d+ ms, no problems\.\n$/);

    const rendered = await sluice(shop, [
      'render',
      'orders',
      '--at',
      '2026-01-02T12:00Z',
      '--task',
      'clean',
      '--json',
      '-p',
      'rows=7',
    ]);
    expect(JSON.parse(rendered.out)).toMatchObject({
      pipeline: 'orders',
      interval: { start: '2026-01-02T03:00:00.000Z', end: '2026-01-03T03:00:00.000Z' },
      params: { rows: 7 },
      tasks: [
        {
          id: 'clean',
          reads: { PATH_RAW: 'orders/raw/ds=2026-01-02' },
          instances: [
            {
              env: { DS: '2026-01-02', PARAM_ROWS: '7' },
              writes: { PATH_CLEAN: 'orders/clean/ds=2026-01-02' },
              unresolved: null,
            },
          ],
        },
      ],
    });

    const settings = JSON.parse(await readFile(join(shop, '.vscode/settings.json'), 'utf8')) as {
      'yaml.schemas': Record<string, string>;
    };
    for (const schema of Object.keys(settings['yaml.schemas'])) await access(join(shop, schema));
    const [firstLine] = (await readFile(join(shop, 'dags/hello.yaml'), 'utf8')).split('\n');
    await access(resolve(shop, 'dags', firstLine?.split('$schema=')[1] ?? 'none'));
  });

  test.each([
    ['jenkins', 'Jenkinsfile'],
    ['github', '.github/workflows/sluice.yml'],
    ['gitlab', '.gitlab-ci.yml'],
  ])('init --ci %s adds %s to a project that has pipelines, once, and nothing else', async (system, file) => {
    const cwd = await mkdtemp(join(root, 'with-'));
    await mkdir(join(cwd, 'dags'));
    const made = await sluice(cwd, ['init', '--ci', system, '-o', 'json']);
    expect([made.code, JSON.parse(made.out)]).toEqual([0, [{ file, was: 'written' }]]);
    expect(await readFile(join(cwd, file), 'utf8')).toContain('sluice promote --to prod');

    await writeFile(join(cwd, file), 'mine\n');
    const again = await sluice(cwd, ['init', '--ci', system, '-o', 'json']);
    expect([again.code, JSON.parse(again.out)]).toEqual([0, [{ file, was: 'left as it is' }]]);
    expect(again.err).toContain('1 file was there already and stayed as it is.');
    expect(await readFile(join(cwd, file), 'utf8')).toBe('mine\n');
  });

  test('a broken file is exit 3 with place and remedy, in every format, and the others are fine', async () => {
    const file = join(root, 'broken', 'dags', 'broken.yaml');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, 'name: broken\ntasks:\n  a:\n    rn: "true"\n');
    await writeFile(join(dirname(file), 'good.yaml'), 'name: good\ntasks:\n  a:\n    run: "true"\n');
    const cwd = join(root, 'broken');
    const human = await sluice(cwd, ['validate']);
    expect(human.code).toBe(3);
    expect(human.out).toMatch(/^dags\/broken\.yaml:4:5: error: .*"rn".*\n {2}hint: .*run/);
    const json = await sluice(cwd, ['validate', '--json']);
    expect([json.code, json.err]).toEqual([3, '']);
    expect(JSON.parse(json.out)).toMatchObject({
      valid: false,
      files: ['dags/broken.yaml', 'dags/good.yaml'],
      problems: [{ line: 4 }],
    });
    expect((await sluice(cwd, ['validate', 'dags/good.yaml'])).code).toBe(0);
    expect((await sluice(cwd, ['render', 'good', '--env', 'dev'])).code).toBe(5);
    expect((await sluice(cwd, ['validate', 'dags/none.yaml'])).code).toBe(5);
  });
});

describe('without a project or a server', () => {
  test('schema, explain and completion work anywhere', async () => {
    const schema = await sluice(root, ['schema']);
    expect(JSON.parse(schema.out)).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
    });
    expect((await sluice(root, ['schema', 'tasks.retries'])).code).toBe(0);
    expect((await sluice(root, ['explain', 'schedule.catchup'])).out).toContain('takes');
    const unknown = await sluice(root, ['explain', 'tasks.ingest.retrys']);
    expect(unknown).toMatchObject({ code: 5, err: expect.stringContaining('retries') });
    expect((await sluice(root, ['completion', 'bash'])).out).toContain('complete -o default -F _sluice sluice');
  });

  test('doctor says what is missing and how to get it', async () => {
    const { out } = await sluice(root, ['doctor', '--json'], { env: { PATH: '/nowhere' } });
    const findings = JSON.parse(out) as { check: string; verdict: string; remedy: string | null }[];
    const of = (name: string) => findings.find(({ check }) => check === name);
    expect(of('node')).toMatchObject({ verdict: 'ok', remedy: null });
    expect(of('bash')).toMatchObject({ verdict: 'fail', remedy: expect.stringContaining('Install bash') });
    expect(of('project')).toMatchObject({ verdict: 'warn', remedy: expect.stringContaining('sluice init') });
    for (const { verdict, remedy } of findings) expect(remedy === null).toBe(verdict === 'ok');
  });

  test('everything else says how to get a server', async () => {
    const { code, out, err } = await sluice(root, ['runs', 'list', '--json']);
    expect([code, out]).toEqual([1, '']);
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'unavailable',
        message: expect.stringContaining('No server found'),
        hint: expect.stringContaining('npm start'),
        at: null,
      },
    });
  });

  test('help is data, a mistyped command is exit 2 with a proposal', async () => {
    expect(await sluice(root, ['--help'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: sluice'),
      err: '',
    });
    expect(await sluice(root, ['validat'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('Did you mean validate?'),
    });
    expect((await sluice(root, [])).code).toBe(2);
  });
});

describe('run --local', () => {
  let project: string;
  beforeAll(async () => {
    project = join(root, 'local');
    await sluice(root, ['init', 'local', '--template', 'ml']);
    await writeFile(
      join(project, 'dags/wait.yaml'),
      'name: wait\ntasks:\n  wait:\n    run: echo "pid $$"; sleep 300\n',
    );
  });

  test('runs the whole engine without a server: logs on stderr, the run on stdout', async () => {
    const { code, out, err } = await sluice(project, ['run', 'hello', '--local', '-p', 'greeting=Salut', '--json']);
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { pipeline: 'hello', state: 'success', params: { greeting: 'Salut' } },
    ]);
    expect(err).toContain('write | Salut from dev, run 1\n');
    expect(err).toMatch(/ count success in /);
  });

  test('a gate that does not hold is exit 7 with its reason, and publishes nothing', async () => {
    const { code, out, err } = await sluice(project, [
      'run',
      'toy-model',
      '--local',
      '-p',
      'rows=300',
      '-p',
      'min_accuracy=0.999',
      '-o',
      'name',
    ]);
    expect([code, out]).toEqual([7, '2\n']);
    expect(err).toContain('min_accuracy');
    await expect(access(join(project, '.sluice/storage/dev/toy-model/models'))).resolves.toBeUndefined();
    await expect(access(join(project, '.sluice/storage/dev/toy-model/best'))).rejects.toThrow();
  });

  test('a mistake is told before anything is started', async () => {
    const { code, err } = await sluice(project, ['run', 'helo', '--local']);
    expect([code, err]).toEqual([5, expect.stringContaining('There are: hello, toy-model, wait.')]);
  });

  test('Ctrl-C ends the task and Postgres, exit 130', async () => {
    let pid = 0;
    const onErr = (text: string, kill: () => void): void => {
      const [, found] = /wait \| pid (\d+)\n/.exec(text) ?? [];
      if (found === undefined || pid !== 0) return;
      pid = Number(found);
      kill();
    };
    expect((await sluice(project, ['run', 'wait', '--local'], { onErr })).code).toBe(130);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(access(join(project, '.sluice/local/postgres/postmaster.pid'))).rejects.toThrow();
  });

  test('ends although a task said nothing, so that its log never began', async () => {
    await writeFile(join(project, 'dags/quiet.yaml'), 'name: quiet\ntasks:\n  a: { run: sleep 0.3 }\n');
    expect((await sluice(project, ['run', 'quiet', '--local', '-o', 'name'])).code).toBe(0);
  });
});

describe('the process', () => {
  test('Ctrl-C while watching is exit 130, and the token is nowhere', async () => {
    const server = await new ContractServer().start();
    server.on('GET /runs/7', { json: aRunDetail({ state: 'running', finishedAt: null }) });
    server.stream('GET /events', (response) => void eventStream(response));
    const onErr = (text: string, kill: () => void): void => {
      if (text.includes('run 7 running\n')) kill();
    };
    const { code, out, err } = await sluice(root, ['runs', 'watch', '7'], {
      env: { ...server.env, SLUICE_DEBUG: '1' },
      onErr,
    });
    await server.stop();
    expect(code).toBe(130);
    expect(err).toContain('Run 7 goes on.');
    expect(out + err).not.toContain(TOKEN);
  });

  test('a reader that closes the pipe early is no failure', async () => {
    const child = spawn('bash', ['-c', `set -o pipefail; "${process.execPath}" "${BIN}" reference | head -c 5`], {
      cwd: root,
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const code = await new Promise((done) => child.on('close', done));
    expect([code, out, err]).toEqual([0, '# Com', '']);
  });

  test('starts without zod, the expression language, Postgres or Nest', async () => {
    const allowed = /^(node:.*|commander|picocolors|string-width)$/;
    const seen = new Set<string>();
    const visit = async (file: string): Promise<void> => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = await readFile(file, 'utf8');
      for (const [, , specifier = ''] of text.matchAll(/^(import|export)\b[^;'"]*["']([^"']+)["'];?$/gm))
        if (specifier.startsWith('.')) await visit(resolve(dirname(file), specifier));
        else expect([specifier, allowed.test(specifier)]).toEqual([specifier, true]);
    };
    await visit(join(packageRoot(), 'dist', 'cli.js'));
    expect(seen.size).toBeGreaterThan(1);
  });
});
