// run_results.json and manifest.json of dbt 1.x (run-results v4 to v6; manifest v9 to v12) as plain facts.
import fs from 'node:fs';
import path from 'node:path';

const MOST_BYTES = 256 * 1024 * 1024;
const VERDICTS = {
  success: 'passed',
  pass: 'passed',
  warn: 'warned',
  skipped: 'skipped',
  'no-op': 'skipped',
  error: 'failed',
  fail: 'failed',
  'runtime error': 'failed',
  'partial success': 'failed',
};

export function readResults(folder) {
  const { metadata, results } = readJson(folder, 'run_results.json');
  const version = /\/run-results\/v(\d+)\.json$/.exec(metadata?.dbt_schema_version ?? '')?.[1];
  if (!(Number(version) >= 4 && Number(version) <= 6) || !Array.isArray(results))
    throw new Error(
      `run_results.json has the schema ${JSON.stringify(metadata?.dbt_schema_version ?? null)}; expected run-results v4 to v6 (dbt 1.x)`,
    );
  const manifest = fs.existsSync(path.join(folder, 'manifest.json')) ? readJson(folder, 'manifest.json') : {};
  const nodes = results.map((result) => nodeOf(result, manifest));
  return { dbtVersion: metadata.dbt_version ?? 'unknown', nodes, counts: countsOf(nodes) };
}

function nodeOf(result, manifest) {
  const id = String(result.unique_id);
  const node = manifest.nodes?.[id] ?? manifest.sources?.[id] ?? {};
  const [kind = 'node', , ...name] = id.split('.');
  const shown = String(node.name ?? name[0] ?? id);
  const rows = result.adapter_response?.rows_affected;
  return {
    id,
    kind: String(node.resource_type ?? kind),
    name: shown,
    /** Names of metrics have letters, digits and _ . / -. */
    metric: shown.replace(/[^\w./-]+/g, '_').slice(0, 100),
    verdict: VERDICTS[result.status] ?? 'failed',
    status: String(result.status),
    seconds: Number(result.execution_time) || 0,
    rows: Number.isSafeInteger(rows) && rows >= 0 ? rows : null,
    failures: Number.isSafeInteger(result.failures) ? result.failures : null,
    message: String(result.message ?? '')
      .split('\n')[0]
      .trim()
      .slice(0, 300),
    dependsOn: (node.depends_on?.nodes ?? []).map(String),
  };
}

function countsOf(nodes) {
  const counts = { models_passed: 0, models_failed: 0, tests_passed: 0, tests_failed: 0, warned: 0, skipped: 0 };
  for (const { kind, verdict } of nodes) {
    const what = kind === 'test' || kind === 'unit_test' ? 'tests' : 'models';
    counts[verdict === 'passed' || verdict === 'failed' ? `${what}_${verdict}` : verdict] += 1;
  }
  return counts;
}

function readJson(folder, file) {
  const where = path.join(folder, file);
  if (!fs.existsSync(where)) throw new Error(`there is no ${file}; dbt writes it into its target folder`);
  const { size } = fs.statSync(where);
  if (size > MOST_BYTES) throw new Error(`${file} has ${size} bytes; at most ${MOST_BYTES} are read`);
  try {
    const value = JSON.parse(fs.readFileSync(where, 'utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // told below, as any other file that is none of dbt's
  }
  throw new Error(`${file} is not JSON of dbt`);
}
