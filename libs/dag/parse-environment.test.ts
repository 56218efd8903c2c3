import { describe, expect, test } from '@jest/globals';
import { otherInstallation } from '#core';
import { parseEnvironment } from './index.ts';

const problemsOf = (text: string): string[] =>
  parseEnvironment('environments/dev.yaml', text, '/project').problems.map(
    ({ line, column, message, hint }) => `${line}:${column} ${message} > ${hint}`,
  );

describe('environment files', () => {
  test('two keys are enough', () => {
    expect(parseEnvironment('dev.yaml', 'name: dev\nstorage: file://./.sluice/data\n', '/project')).toEqual({
      problems: [],
      environment: {
        name: 'dev',
        storage: 'file:///project/.sluice/data',
        schedules: 'paused',
        vars: {},
        params: {},
        secrets: {},
        pools: { default: 32 },
        alerts: {
          slack: null,
          email: null,
          on: [
            'run.failed',
            'run.late',
            'run.recovered',
            'task.approval',
            'pipeline.paused',
            'run.drifted',
            'run.looping',
            'promotion.waiting',
            'promotion.failed',
            'promotion.rolled_back',
          ],
          mute: [],
        },
        data: {},
        grants: [],
        logs: { maxBytes: 67_108_864, maxLineBytes: 65_536 },
        promotion: {
          from: [],
          gates: [],
          approvals: { count: 0, groups: [], excludeAuthor: true, expiresMs: 259_200_000 },
          window: null,
          verify: null,
          autoRollback: false,
        },
        verifySample: null,
        retentionDays: null,
      },
    });
  });

  test('all keys', () => {
    const text = `
name: prod
storage: /data/prod
schedules: active
vars: { region: eu, nested: { a: [1] } }
params: { sample: 0.1 }
secrets: { DSN: { env: PROD_DSN }, KEY: { file: /run/key } }
pools: { default: 4, gpu: 1 }
alerts:
  slack: { channel: "#oncall", token: { env: SLACK_TOKEN }, api_url: "http://localhost:1/api/", approvers: { U024BE7LH: anna } }
  email: { to: a@example.com, from: sluice@example.com, smtp: { env: SMTP } }
  on: run.failed
  mute: [task.retrying]
data: { flights: ../flights }
grants: [{ read: test, paths: [features] }]
logs: { max_bytes: 1MiB, max_line_bytes: 2048 }
from: [test]
soak: 24h
window: { cron: "* 9-16 * * MON-THU", timezone: Europe/Berlin }
approvals: { count: 2, groups: [ml-leads] }
gates:
  - smoke: { timeout: 10m }
  - metric: { pipeline: churn, expr: "metrics.auc >= baseline.auc - 0.002", on_missing: fail }
  - checks: { pipelines: "churn-*" }
  - tests: {}
  - tests: { on_missing: fail }
  - external: { url: "https://example.com/ready" }
verify: { pipelines: churn, timeout: 1h }
auto_rollback: true
verify_sample: { every: 1d, runs: 3 }
retention: 90d
`;
    expect(parseEnvironment('prod.yaml', text, '/project')).toEqual({
      problems: [],
      environment: {
        name: 'prod',
        storage: 'file:///data/prod',
        schedules: 'active',
        vars: { region: 'eu', nested: { a: [1] } },
        params: { sample: 0.1 },
        secrets: { DSN: { env: 'PROD_DSN' }, KEY: { file: '/run/key' } },
        pools: { default: 4, gpu: 1 },
        alerts: {
          slack: {
            ...{ channel: '#oncall', token: { env: 'SLACK_TOKEN' }, apiUrl: 'http://localhost:1/api/' },
            approvers: { U024BE7LH: 'anna' },
          },
          email: { to: ['a@example.com'], from: 'sluice@example.com', smtp: { env: 'SMTP' } },
          on: ['run.failed'],
          mute: ['task.retrying'],
        },
        data: { flights: '/flights' },
        grants: [{ read: 'test', paths: ['features'] }],
        logs: { maxBytes: 1_048_576, maxLineBytes: 2_048 },
        promotion: {
          from: ['test'],
          gates: [
            { kind: 'soak', from: ['test'], ms: 86_400_000 },
            { kind: 'smoke', pipelines: ['*'], timeoutMs: 600_000 },
            { kind: 'metric', pipeline: 'churn', expr: 'metrics.auc >= baseline.auc - 0.002', onMissing: 'fail' },
            { kind: 'checks', pipelines: ['churn-*'] },
            { kind: 'tests', onMissing: 'inconclusive' },
            { kind: 'tests', onMissing: 'fail' },
            { kind: 'external', url: 'https://example.com/ready', timeoutMs: 30_000 },
          ],
          approvals: { count: 2, groups: ['ml-leads'], excludeAuthor: true, expiresMs: 259_200_000 },
          window: { cron: '* 9-16 * * MON-THU', timezone: 'Europe/Berlin' },
          verify: { pipelines: ['churn'], runs: 1, timeoutMs: 3_600_000 },
          autoRollback: true,
        },
        verifySample: { everyMs: 86_400_000, runs: 3 },
        retentionDays: 90,
      },
    });
  });

  test.each([
    ['file:///data', 'file:///data'],
    ['file://./data', 'file:///project/data'],
    ['file://../data', 'file:///data'],
    ['./a/../b', 'file:///project/b'],
    ['data', 'file:///project/data'],
    ['/a b/ä#1', 'file:///a%20b/%C3%A4%231'],
    ['file:///a%20b', 'file:///a%20b'],
    ['s3://acme-ml-prod', 's3://acme-ml-prod'],
    ['S3://acme-ml-prod/', 's3://acme-ml-prod'],
    ['s3://acme-ml-prod/churn/v=1/', 's3://acme-ml-prod/churn/v=1'],
  ])('storage %s is %s', (storage, url) => {
    expect(
      parseEnvironment('e.yaml', `name: e\nstorage: ${JSON.stringify(storage)}\n`, '/project').environment?.storage,
    ).toBe(url);
  });

  test.each([
    ...['s3:', 's3://', 's3:///x', 's3:bucket', 's3://ab', 's3://Bucket', 's3://a..b', 's3://-ab', 's3://b@host/x'],
    ...['s3://key:secret@bucket/x', 's3://bucket/../other', 's3://bucket/./x', 's3://bucket/a//b', 's3://bucket//a'],
    ...[
      's3://bucket/a b',
      's3://bucket/%2e%2e/x',
      's3://bucket/a?versionId=1',
      's3://bucket/a#b',
      's3://bucket/a\\\\b',
    ],
  ])('storage %s is refused', (storage) => {
    const [problem = ''] = problemsOf(`name: dev\nstorage: "${storage}"\n`);
    expect(problem).toContain('Write s3://bucket or s3://bucket/prefix');
    expect(problem).not.toContain('secret');
  });

  test('an environment of another installation has its address for storage, and is asked last', () => {
    const text = 'name: prod\nfrom: [test]\ninstallation: { url: https://b.example, token: { env: B } }\n';
    const { environment, problems } = parseEnvironment(
      'prod.yaml',
      `${text}gates: [{ external: { url: http://x } }]`,
      '/',
    );
    expect(problems).toEqual([]);
    expect(environment).toMatchObject({ storage: 'https://b.example', schedules: 'paused' });
    expect(environment?.promotion.gates.map(({ kind }) => kind)).toEqual(['external', 'installation']);
    expect(otherInstallation(environment!.promotion)).toEqual({
      ...{ kind: 'installation', url: 'https://b.example', token: { env: 'B' } },
    });
  });

  test.each<[string, string[]]>([
    [
      'name: prod\ninstallation: { url: https://b.example/x, token: { env: B } }\n',
      [
        '2:22 installation.url is "https://b.example/x"; expected the address of a Sluice server. > For example: https://sluice.example.com.',
      ],
    ],
    [
      'name: prod\ninstallation: { url: https://b.example, token: { env: B } }\nstorage: d\n',
      [
        '3:1 storage is said of an environment that another installation has. > Say it in environments/prod.yaml there; here only from, soak and gates count.',
      ],
    ],
    ['', ['1:1 The file is empty. > Begin with `name:` and `storage:`.']],
    ['name: dev\n', ['1:1 The file has no "storage". > Add `storage: …`.']],
    [
      'name: dev\nstorage: gs://bucket\n',
      [
        '2:10 storage is "gs://bucket"; storage at gs:// is not yet supported. > Write file:///absolute/folder, file://./folder, a plain path, or s3://bucket/prefix.',
      ],
    ],
    [
      'name: dev\nstorage: file://host/x\n',
      [
        '2:10 storage is "file://host/x"; the part behind file:// is read as a host. > Write file:///absolute/folder, file://./folder, a plain path, or s3://bucket/prefix.',
      ],
    ],
    [
      'name: dev\nstorage: ../../..\n',
      [
        '2:10 storage is "../../.."; the root of the file system is no storage root. > Write file:///absolute/folder, file://./folder, a plain path, or s3://bucket/prefix.',
      ],
    ],
    [
      'name: dev\nstorage: d\nsoak: 24h\n',
      ['3:1 soak needs an environment to soak in. > Add `from: [test]`, or remove soak.'],
    ],
    [
      'name: dev\nstorage: d\nfrom: [dev]\ngates: [{ metric: { pipeline: p, expr: "params.x > metrics.auc" } }]\n',
      [
        '3:7 from names "dev" itself. > Name the environment before it.',
        '4:41 The name "params" is not known in a gate of an environment. > Known names: metrics, baseline, env.',
      ],
    ],
    [
      'name: dev\nstorage: d\nwindow: { cron: "* 9-16 * *", timezone: Mars }\n',
      [
        '3:17 window.cron: "* 9-16 * *" has 4 fields; expected five. > Write five fields: minute hour day-of-month month day-of-week, for example "30 2 * * *".',
        '3:41 window.timezone is "Mars"; expected a name of the IANA database. > Write Europe/Berlin or UTC.',
      ],
    ],
    [
      'name: dev\nstorage: d\ngates: [{ lint: {} }]\n',
      ['3:11 The key "lint" in gates[0] is not known. > Known keys: smoke, metric, checks, tests, external.'],
    ],
    [
      'name: dev\nstorage: d\nsecrets: { A: plain }\n',
      [
        '3:15 secrets.A is "plain"; expected where the secret comes from: a map with env or file. > For example: { env: PROD_DSN }.',
      ],
    ],
    [
      'name: dev\nstorage: d\npools: { default: 0 }\n',
      ['3:19 The pool "default" has no slots, so nothing would run. > Give it at least 1.'],
    ],
    [
      'name: dev\nstorage: d\npools: { gpu: -1 }\n',
      ['3:15 pools.gpu is -1; expected a whole number from 0 to 1000000. > For example: 2.'],
    ],
    [
      'name: dev\nstorage: d\nalerts: { mute: [run.skiped] }\n',
      [
        '3:18 alerts.mute[0] is "run.skiped"; expected run.failed, run.late, run.recovered, task.retrying, task.approval, pipeline.paused, check.warned, run.drifted, run.looping, promotion.waiting, promotion.approved, promotion.switched, promotion.verified, promotion.failed or promotion.rolled_back. > Did you mean "run.failed"?',
      ],
    ],
    [
      'name: dev\nstorage: d\nalerts: { slack: { channel: "#x", approvers: { anna: anna } } }\n',
      ['3:48 alerts.slack.approvers: the name "anna" is not valid. > Use the id of a Slack member.'],
    ],
    [
      'name: dev\nstorage: d\nalerts: { email: ["a@b\\r\\nBcc: x@y"] }\n',
      ['3:19 alerts.email[0] is "a@b\\r\\nBcc: x@y"; expected an address. > For example: team@example.com.'],
    ],
    ['name: dev\nstorage: d\nschedule: active\n', ['3:1 The key "schedule" is not known. > Did you mean "schedules"?']],
    [
      'name: dev\nstorage: d\ndata: { interval_start: x, ok: "s3://x" }\n',
      [
        '3:9 data: the name "interval_start" is not valid. > Use a name that does not begin with interval_.',
        '3:32 data.ok is "s3://x"; expected a folder, absolute or relative to the project. > For example: data/flights.',
      ],
    ],
    [
      'name: dev\nstorage: [\n',
      [
        '3:1 YAML: Flow sequence in block collection must be sufficiently indented and end with a ]. > Lines of one map or list start in the same column.',
      ],
    ],
  ])('%j is refused', (text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });
});
