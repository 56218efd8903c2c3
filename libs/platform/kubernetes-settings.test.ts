import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { examplesOf } from '../testing/examples.ts';
import { readKubernetesSettings } from './kubernetes-settings.ts';

const LEAST = `
image: registry.example/sluice:1
url: http://sluice-api:7460/
token_secret: { name: sluice-work, key: token }
`;
let folder: string;
beforeAll(async () => void (folder = await mkdtemp(path.join(tmpdir(), 'sluice-kube-'))));
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string) {
  const file = path.join(folder, 'kubernetes.yaml');
  await writeFile(file, text);
  return readKubernetesSettings(file);
}

describe('settings of Kubernetes', () => {
  test('an image, the API and a Secret with a token are enough', async () => {
    expect(await read(LEAST)).toEqual({
      ...{ namespace: null, name: 'sluice', image: 'registry.example/sluice:1', url: 'http://sluice-api:7460' },
      tokenSecret: { name: 'sluice-work', key: 'token' },
      ...{ serviceAccount: null, nodeSelector: {}, tolerations: [], resources: {}, imagePullSecrets: [], env: {} },
      ...{
        envFromSecrets: [],
        volumes: [],
        user: 1000,
        drainMs: 25_000,
        startMs: 120_000,
        keepMs: 3_600_000,
        pools: {},
      },
    });
  });

  test('are those of docs/kubernetes.md', async () => {
    const [settings = ''] = examplesOf('docs/kubernetes.md', 'yaml', 1);
    const { image, resources, pools } = await read(settings);
    expect([image, resources]).toEqual(['registry.example.com/sluice:0.1.0', { cpu: 0.5, memory: 2 ** 30 }]);
    expect(pools).toEqual({
      gpu: { image: 'registry.example.com/sluice-cuda:0.1.0', nodeSelector: { gpu: 'a100' } },
    });
  });

  test('pools say only what differs in them', async () => {
    const { pools, resources, volumes } = await read(`${LEAST}
resources: { cpu: 0.5, memory: 1Gi }
volumes: [{ claim: sluice-data, at: /data }]
start: 5m
pools:
  gpu:
    image: registry.example/sluice-cuda:1
    node_selector: { gpu: a100 }
    tolerations: [{ key: nvidia.com/gpu, operator: Exists }]
`);
    expect(resources).toEqual({ cpu: 0.5, memory: 2 ** 30 });
    expect(volumes).toEqual([{ claim: 'sluice-data', at: '/data', readOnly: false }]);
    expect(pools).toEqual({
      gpu: {
        image: 'registry.example/sluice-cuda:1',
        nodeSelector: { gpu: 'a100' },
        tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
      },
    });
  });

  test('everything that is wrong is told at once, with its place', async () => {
    await expect(
      read(`${LEAST}\nimages: x\nuser: 0\ndrain: soon\npools: { gpu: { memory: 1 } }`),
    ).rejects.toMatchObject({
      code: 'invalid_config',
      details: {
        problems: expect.arrayContaining([
          expect.stringMatching(/^user: /),
          'drain: expected a duration, such as 90s or 1h',
          expect.stringMatching(/^pools\.gpu: .*memory/),
          expect.stringMatching(/^the file: .*images/),
        ]),
      },
    });
    await expect(read('{')).rejects.toMatchObject({ code: 'invalid_config' });
    await expect(readKubernetesSettings(path.join(folder, 'none'))).rejects.toMatchObject({ code: 'invalid_config' });
  });
});
