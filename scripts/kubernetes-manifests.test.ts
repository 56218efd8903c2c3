import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseEnvironment } from '#dag';
import { checkObject, KubernetesServer } from '#testing';
import { examplesOf } from '../libs/testing/examples.ts';
import { ATTEMPT, SETTINGS } from '../libs/kubernetes/fixture.ts';
import { connectCluster } from '../libs/kubernetes/connect.ts';
import { jobOf } from '../libs/kubernetes/job-of.ts';
import { systemClock } from '../libs/platform/clock.ts';
import { loadConfig } from '../libs/platform/config.ts';
import { readKubernetesSettings } from '../libs/platform/kubernetes-settings.ts';
import {
  containersOf,
  literalsOf,
  MANIFESTS,
  objectsOf,
  OVERLAYS,
  parseObjects,
  readKustomization,
  type Manifest,
} from './kubernetes-manifests.ts';

const base = objectsOf('base');
const find = (objects: readonly Manifest[], kind: string, name: string) =>
  objects.find((one) => one.kind === kind && one.metadata.name === name);
const ours = (objects: readonly Manifest[]) =>
  containersOf(objects).filter(({ container }) => /sluice/.test(container.image ?? ''));

describe.each(['base', 'overlays/dev', 'overlays/prod'])('deploy/kubernetes/%s', (folder) => {
  test('holds nothing that the published schemas of Kubernetes do not know', () => {
    const objects = objectsOf(folder);
    expect(objects.length).toBeGreaterThan(2);
    expect(objects.map((one) => [one.kind, one.metadata.name, checkObject(one)])).toEqual(
      objects.map((one) => [one.kind, one.metadata.name, []]),
    );
  });
});

test('a word that Kubernetes does not know is found in a manifest', () => {
  const [one] = base;
  expect(checkObject({ ...one, sepc: {} })).toEqual([expect.stringContaining('sepc')]);
});

describe('the base', () => {
  test('starts what is built, as an ordinary user that writes to its volumes only', () => {
    const entries =
      /const ENTRIES = \[(.*?)\]/.exec(readFileSync(join(import.meta.dirname, 'build.mjs'), 'utf8'))?.[1] ?? '';
    expect(ours(base)).toHaveLength(2);
    for (const { of, container } of ours(base)) {
      const [, , name = ''] = /^node (dist\/(\w+)\.js)$/.exec(container.command?.join(' ') ?? '') ?? [];
      expect(entries).toContain(`'${name}'`);
      expect(of.spec?.template?.spec?.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    const withToken = ours(base).filter(({ of }) => of.spec?.template?.spec?.automountServiceAccountToken !== false);
    expect(withToken.map(({ of }) => of.metadata.name)).toEqual(['sluice-scheduler']);
  });

  test('each reference has its other end', () => {
    const api = find(base, 'Deployment', 'sluice-api')?.spec;
    const service = find(base, 'Service', 'sluice-api')?.spec as { selector: object; ports: { targetPort: string }[] };
    expect(api?.template?.metadata?.labels).toMatchObject(service.selector);
    expect(api?.template?.spec?.containers[0]?.ports?.map(({ name }) => name)).toEqual(
      service.ports.map((port) => port.targetPort),
    );
    for (const { of, container } of containersOf(base)) {
      const volumes = of.spec?.template?.spec?.volumes?.map(({ name }) => name);
      for (const { name } of container.volumeMounts ?? []) expect(volumes).toContain(name);
      const account = of.spec?.template?.spec?.serviceAccountName;
      if (account !== undefined) expect(find(base, 'ServiceAccount', account)).toBeDefined();
    }
  });

  test('the scheduler may do what it does in Kubernetes, and nothing else', async () => {
    const role = find(base, 'Role', 'sluice-scheduler')?.rules ?? [];
    const granted = role.flatMap(({ resources, verbs }) =>
      resources.flatMap((what) => verbs.map((verb) => `${verb} ${what}`)),
    );
    const used = new Set<string>();
    const server = await KubernetesServer.start({
      allows: (verb, resource) => {
        used.add(`${verb} ${resource}`);
        return granted.includes(`${verb} ${resource}`);
      },
    });
    const folder = mkdtempSync(join(tmpdir(), 'sluice-manifests-'));
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, server.kubeconfig());
    const cluster = await connectCluster({ kubeconfig, settings: SETTINGS, clock: systemClock });
    expect(await cluster.makeJob(jobOf(ATTEMPT, SETTINGS))).toEqual({ kind: 'made' });
    expect(await cluster.makeJob(jobOf(ATTEMPT, SETTINGS))).toMatchObject({ kind: 'exists' });
    expect(await cluster.listJobs()).toHaveLength(1);
    const { pods, version } = await cluster.listPods();
    expect(pods).toHaveLength(1);
    const watching = new AbortController();
    const heard = new Promise((resolve) => void cluster.watchPods(version, resolve, watching.signal));
    await cluster.removeJob('sluice-17');
    await heard;
    watching.abort();
    await server.close();
    rmSync(folder, { recursive: true });
    expect([...used].sort()).toEqual(granted.sort());
  });
});

describe.each(OVERLAYS)('the overlay %s', (name) => {
  const folder = `overlays/${name}`;
  const kustomization = readKustomization(folder);
  const objects = [...base, ...objectsOf(folder)];
  const generated = kustomization.configMapGenerator?.map((map) => map.name) ?? [];

  test('makes every ConfigMap that the base reads, and the claims that pods mount', async () => {
    const read = containersOf(base).flatMap(({ of, container }) => [
      ...(container.envFrom ?? []).flatMap(({ configMapRef }) => configMapRef?.name ?? []),
      ...(of.spec?.template?.spec?.volumes ?? []).flatMap(({ configMap }) => configMap?.name ?? []),
    ]);
    expect([...generated].sort()).toEqual([...new Set(read)].sort());
    const { volumes } = await readKubernetesSettings(join(MANIFESTS, folder, 'kubernetes.yaml'));
    for (const { claim } of volumes) expect(find(objects, 'PersistentVolumeClaim', claim)).toBeDefined();
  });

  test('holds settings and an environment that the program takes; the API knows the name that pods call it by', async () => {
    const known = new Set<string>();
    loadConfig(new Proxy({}, { get: (_, variable) => void known.add(String(variable)) }), MANIFESTS);
    const literals = literalsOf(kustomization);
    expect([...known]).toEqual(expect.arrayContaining(Object.keys(literals)));
    const settings = await readKubernetesSettings(join(MANIFESTS, folder, 'kubernetes.yaml'));
    expect([...known]).toEqual(expect.arrayContaining(Object.keys(settings.env)));
    const { hostname, port } = new URL(settings.url);
    const service = find(base, 'Service', hostname)?.spec as { ports: { port: number }[] };
    expect(service.ports.map((one) => String(one.port))).toContain(port);
    expect(loadConfig(literals, MANIFESTS).allowedHosts).toContain(hostname);
    const files = kustomization.configMapGenerator?.find((map) => map.name === 'sluice-environments')?.files ?? [];
    for (const file of files)
      expect(parseEnvironment(file, readFileSync(join(MANIFESTS, folder, file), 'utf8'), '/app').problems).toEqual([]);
    expect(files).toHaveLength(1);
    expect(JSON.stringify([literals, settings])).not.toMatch(/password|DATABASE_URL|SLUICE_TOKEN=/i);
  });
});

test('nobody calls the pods of attempts: the policy selects them by a label that their jobs give them', () => {
  const policy = find(objectsOf('overlays/prod'), 'NetworkPolicy', 'sluice-nobody-calls')?.spec;
  const { matchExpressions } = policy?.['podSelector'] as { matchExpressions: { key: string; values: string[] }[] };
  const labels = jobOf(ATTEMPT, SETTINGS).spec?.template.metadata?.labels ?? {};
  for (const { key, values } of matchExpressions) expect(values).toContain(labels[key]);
});

// A machine without a kubectl cannot render them; `npm test` says so. What does not need it is above.
const kubectl = process.env.SLUICE_TEST_KUBECTL ?? '';
const describeWithKubectl = kubectl === '' ? describe.skip : describe;

describeWithKubectl('rendered by kubectl', () => {
  test.each(OVERLAYS)(
    '%s is whole: schemas, one namespace, ConfigMaps by their generated names, no image without a tag',
    (name) => {
      const { status, stdout, stderr } = spawnSync(kubectl, ['kustomize', join(MANIFESTS, 'overlays', name)], {
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([0, '']);
      const objects = parseObjects(stdout);
      expect(objects.map((one) => [one.kind, one.metadata.name, checkObject(one)])).toEqual(
        objects.map((one) => [one.kind, one.metadata.name, []]),
      );
      const { namespace } = readKustomization(`overlays/${name}`);
      for (const { kind, metadata } of objects)
        expect(kind === 'Namespace' ? metadata.name : metadata.namespace).toBe(namespace);
      const maps = objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name);
      const read = ours(objects).flatMap(({ container }) =>
        (container.envFrom ?? []).flatMap(({ configMapRef }) => configMapRef?.name ?? []),
      );
      expect(read).toHaveLength(2);
      expect(maps).toEqual(expect.arrayContaining(read));
      for (const { container } of containersOf(objects)) expect(container.image).toMatch(/:(?!latest)[^:/]+$/);
      const claims = objects
        .filter(({ kind }) => kind === 'PersistentVolumeClaim')
        .map(({ metadata }) => metadata.name);
      for (const { spec } of objects)
        for (const { persistentVolumeClaim } of spec?.template?.spec?.volumes ?? [])
          if (persistentVolumeClaim) expect(claims).toContain(persistentVolumeClaim.claimName);
      // The image that pods of attempts run is the one that the rest runs.
      const settings = objects.flatMap(({ data }) => data?.['kubernetes.yaml'] ?? []);
      expect(settings).toEqual([expect.stringContaining(`image: ${ours(objects)[0]?.container.image}\n`)]);
    },
  );

  test('the Secrets of docs/kubernetes.md are those that the manifests read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-secrets-'));
    const config = { kind: 'Config', contexts: [{ name: 'here', context: {} }], 'current-context': 'here' };
    writeFileSync(join(folder, 'config'), JSON.stringify(config));
    // There is no cluster to make them in: what would be sent is shown.
    const show = `--dry-run=client -o 'jsonpath={.metadata.name} {.data}{"\\n"}'`;
    const [example = ''] = examplesOf('docs/kubernetes.md', 'sh', 2);
    const script = `kubectl() { '${kubectl}' "$@"; }\n${example.replaceAll('secret generic', `secret generic ${show}`)}`;
    const env = { PATH: process.env.PATH, HOME: folder, KUBECONFIG: join(folder, 'config') };
    const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-euc', script], { env, encoding: 'utf8' });
    const namespace = readFileSync(join(folder, 'config'), 'utf8').match(/namespace: (\S+)/)?.[1];
    rmSync(folder, { recursive: true });
    expect([status, stderr]).toEqual([0, '']);
    expect(namespace).toBe(readKustomization('overlays/dev').namespace);
    const made = [...stdout.matchAll(/^(\S+) (\{.*\})$/gm)].map(([, name = '', data = '']) => [
      name,
      Object.keys(JSON.parse(data) as object).sort(),
    ]);
    expect(made).toEqual([
      ['postgres', ['password']],
      ['sluice-secrets', ['DATABASE_URL', 'SLUICE_TOKEN']],
    ]);
    const containers = containersOf([...base, ...objectsOf('overlays/dev')]).map(({ container }) => container);
    const read = containers.flatMap(({ env = [], envFrom = [] }) => [
      ...env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? []),
      ...envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []),
    ]);
    expect([...new Set(read)].sort()).toEqual(['postgres', 'sluice-secrets']);
  });
});
