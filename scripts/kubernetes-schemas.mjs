// Takes from the published OpenAPI document of Kubernetes what manifests and tests speak of, and writes it to
// libs/testing/kubernetes/schemas.json; descriptions are left out, nothing else is changed:
//   node scripts/kubernetes-schemas.mjs FOLDER
// FOLDER is the unpacked Go module of Kubernetes: `Dir` of `go mod download -json k8s.io/kubernetes@v1.37.2`.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const KINDS = [
  'io.k8s.api.apps.v1.Deployment',
  'io.k8s.api.batch.v1.Job',
  'io.k8s.api.core.v1.ConfigMap',
  'io.k8s.api.core.v1.Namespace',
  'io.k8s.api.core.v1.PersistentVolumeClaim',
  'io.k8s.api.core.v1.Pod',
  'io.k8s.api.core.v1.Secret',
  'io.k8s.api.core.v1.Service',
  'io.k8s.api.core.v1.ServiceAccount',
  'io.k8s.api.networking.v1.NetworkPolicy',
  'io.k8s.api.policy.v1.PodDisruptionBudget',
  'io.k8s.api.rbac.v1.Role',
  'io.k8s.api.rbac.v1.RoleBinding',
  'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Status',
];

const [folder] = process.argv.slice(2);
const { definitions } = JSON.parse(readFileSync(join(folder, 'api', 'openapi-spec', 'swagger.json'), 'utf8'));
const taken = {};
for (const kind of KINDS) take(kind);
const about = {
  from: `k8s.io/${basename(folder)}, api/openapi-spec/swagger.json`,
  licence: 'Apache-2.0, The Kubernetes Authors',
};
const sorted = Object.fromEntries(Object.entries(taken).sort(([a], [b]) => (a < b ? -1 : 1)));
const lines = Object.entries(sorted).map(([name, schema]) => `    ${JSON.stringify(name)}: ${JSON.stringify(schema)}`);
const to = new URL('../libs/testing/kubernetes/schemas.json', import.meta.url);
writeFileSync(to, `{\n  "about": ${JSON.stringify(about)},\n  "definitions": {\n${lines.join(',\n')}\n  }\n}\n`);

function take(name) {
  if (taken[name] !== undefined) return;
  taken[name] = JSON.parse(JSON.stringify(definitions[name]), (key, value) =>
    key === 'description' && typeof value === 'string' ? undefined : value,
  );
  for (const [, ref] of JSON.stringify(taken[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) take(ref);
}
