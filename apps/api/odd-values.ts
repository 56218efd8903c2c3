/** Values that mean trouble somewhere: in numbers, dates, SQL, files, HTML, shells. */
export const ODD = [
  ...['', ' ', '0', '-1', '1.5', '1e9', '1e999', 'NaN', 'Infinity', '99999999999999999999', '0x10', '0'.repeat(300)],
  ...['null', 'true', '[]', '{}', '__proto__', 'constructor', 'x'.repeat(5000), '../../etc/passwd', '..%2f..', '%00'],
  ...["'; drop table run; --", '" or 1=1', '${7*7}', '$(touch x)', '<script>alert(1)</script>', '\u202e', 'ünï', '1 2'],
  ...['2026-02-30', '0000-01-01', '9999-99-99', '2026-01-01T00:00:00', '+275760-09-13T00:00:00Z', 'run:0', 'env:'],
];

/** Each route that reads, with parameters that hold. */
export const ROUTES = [
  ['/api/v1/pipelines', { env: 'dev' }],
  ['/api/v1/pipelines/flight-delays', { env: 'dev' }],
  ['/api/v1/pipelines/p/schedule', { env: 'dev' }],
  ['/api/v1/pipelines/p/grid', { env: 'dev', runs: '10', before: '5' }],
  ['/api/v1/pipelines/p/checks', { env: 'dev', task: 't', limit: '10' }],
  ['/api/v1/pipelines/p/metrics', { env: 'dev', task: 't', name: 'auc', limit: '10' }],
  ['/api/v1/runs', { env: 'dev', pipeline: 'p', state: 'failed', from: '2026-01-01', to: '2026-01-02', limit: '10' }],
  ['/api/v1/runs', { env: 'dev', cursor: 'YWZ0ZXI6MQ' }],
  ['/api/v1/runs/7', {}],
  ['/api/v1/runs/7/why', {}],
  ['/api/v1/runs/7/verification', {}],
  ['/api/v1/runs/7/diff/6', {}],
  ['/api/v1/runs/7/tasks/t', { map: '0' }],
  ['/api/v1/runs/7/tasks/t/log', { map: '0', try: '1', from: '1', limit: '10' }],
  ['/api/v1/runs/7/tasks/t/log/search', { map: '0', try: '1', q: 'x' }],
  ['/api/v1/alerts', { env: 'dev', limit: '10', cursor: 'YWZ0ZXI6MQ' }],
  ['/api/v1/backfills', { env: 'dev', pipeline: 'p', limit: '10', cursor: 'YWZ0ZXI6MQ' }],
  ['/api/v1/backfills/7', {}],
  ['/api/v1/history/runs', { env: 'dev', pipeline: 'p', limit: '10', cursor: 'YWZ0ZXI6MQ' }],
  ['/api/v1/history/runs/7', {}],
  ['/api/v1/audit', { env: 'dev', limit: '10', cursor: 'YWZ0ZXI6MQ' }],
  ['/api/v1/paths', { env: 'dev', ref: 'p.raw', at: '2026-01-01' }],
  ['/api/v1/releases', { dirty: 'false', limit: '10', cursor: 'YWZ0ZXI6YWJj' }],
  ['/api/v1/releases/abcdef', {}],
  ['/api/v1/releases/abcdef/diff', { from: 'frozen-heron' }],
  ['/api/v1/environments/dev/drift', {}],
  ['/api/v1/environments/dev/diff', { with: 'dev' }],
  ['/api/v1/environments/dev/configurations', { limit: '10' }],
  ['/api/v1/system', {}],
] as const;

/** The same for what is sent as JSON. */
export const ODD_JSON = [...ODD, null, 0, -1, 1e308, true, [], {}, [[]], { $ne: 1 }, ['a', 'b']];

/** Each route that writes, with a body that holds. */
export const BODIES = [
  ['/pipelines/p/runs', { environment: 'dev', params: { a: 1 }, at: '2026-01-01' }],
  ['/pipelines/p/pause', { environment: 'dev' }],
  ['/runs/7/rerun', { mode: 'from', task: 't', release: 'same' }],
  ['/runs/7/marks', { as: 'success', reason: 'mended', task: 't', map: 0 }],
  ['/runs/bulk', { environment: 'dev', runs: ['7'], action: { kind: 'rerun', mode: 'failed' } }],
  ['/runs/7/metrics', { points: [{ taskId: 't', name: 'auc', value: 0.5 }] }],
  ['/runs/7/verify', {}],
  ['/history/prune', { dryRun: true, environment: 'dev' }],
  ['/gc', { dryRun: true, keep: 3, olderThanMs: 604_800_000 }],
  ['/backfills', { environment: 'dev', pipeline: 'p', from: '2026-01-01', to: '2026-01-02', maxActive: 2 }],
  ['/alerts/test', { environment: 'dev', target: 'slack:#x' }],
  ['/releases/missing-blobs', { blobs: [{ sha256: 'a'.repeat(64), bytes: 1 }] }],
  [
    '/releases',
    {
      ...{ commit: 'c'.repeat(40), branch: 'main', author: 'Ada', message: 'First', buildUrl: 'https://ci.example/1' },
      files: [{ path: 'a.yaml', executable: false, bytes: 1, sha256: 'a'.repeat(64) }],
    },
  ],
  ['/tokens', { name: 'a', groups: ['b'], rights: [{ right: 'view', environment: 'dev' }], expiresInMs: 60_000 }],
  ['/previews', { environment: 'dev/pr-1', release: 'abcdef', expiresInMs: 60_000 }],
  ['/login/codes', {}],
] as const;

/** Every route with one parameter or part of the path replaced by an odd value. */
export function* oddAddresses(): Generator<string> {
  for (const [path, query] of ROUTES) {
    for (const odd of ODD) {
      for (const key of Object.keys(query)) yield `${path}?${new URLSearchParams({ ...query, [key]: odd })}`;
      const segments = path.split('/').slice(4);
      for (const part of segments)
        yield `${path.replace(`/${part}`, `/${encodeURIComponent(odd)}`)}?${new URLSearchParams(query)}`;
    }
  }
}
