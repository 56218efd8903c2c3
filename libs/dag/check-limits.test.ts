import { expect, test } from '@jest/globals';
import { checkLimits, compilePipelines, parseEnvironment } from '#dag';

const FILE = `name: p
tasks:
  small: { run: "true", resources: { cpu: 500m, memory: 512Mi } }
  large: { run: "true", resources: { cpu: 2, memory: 4GiB, gpu: 1 } }
  wide: { run: "true", pool: gpu, slots: 3 }
  gang: { run: "true", pool: gpu, replicas: { min: 2, max: 9 }, resources: { memory: 2Gi } }
  late: { approve: Go on?, needs: [wide] }
defaults: { resources: { cpu: 1.5 } }
environments: { dev: { resources: { memory: 1Gi, gpu: 0 } } }`;

function environment(name: string, more: string) {
  const { environment: config, problems } = parseEnvironment(`${name}.yaml`, `name: ${name}\nstorage: d\n${more}`, '/');
  expect(problems).toEqual([]);
  return config!;
}

test('a task that asks for more than an environment has is told of with its line; overlays count', () => {
  const { pipelines } = compilePipelines([{ file: 'p.yaml', text: FILE }]);
  expect(pipelines[0]?.tasks.map(({ resources }) => resources)).toEqual([
    { cpu: 0.5, memory: 512 * 2 ** 20 },
    { cpu: 2, memory: 4 * 2 ** 30, gpu: 1 },
    { cpu: 1.5 },
    { memory: 2 * 2 ** 30 },
    undefined,
  ]);
  const dev = environment('dev', 'pools: { gpu: 3 }\nresources: { cpu: 2, memory: 2Gi, gpu: 0 }');
  const prod = environment('prod', 'pools: { gpu: 2 }\nresources: { memory: 3.5Gi }');
  expect(checkLimits(pipelines, [dev])).toEqual(new Map());
  const hint = 'Ask for less, in prod alone under `environments:`, or raise it there.';
  expect(checkLimits(pipelines, [dev, prod]).get('p.yaml')).toEqual([
    {
      file: 'p.yaml',
      line: 4,
      column: 1,
      message:
        'Task "large" can never begin in prod: it asks for 4 GiB of memory; all tasks together may take 3.5 GiB of memory in environments/prod.yaml.',
      hint,
    },
    {
      file: 'p.yaml',
      line: 5,
      column: 1,
      message:
        'Task "wide" can never begin in prod: it asks for 3 slots of pool "gpu", which has 2 in environments/prod.yaml.',
      hint,
    },
    {
      file: 'p.yaml',
      line: 6,
      column: 1,
      message:
        'Task "gang" can never begin in prod: its 2 replicas ask for 4 GiB of memory; all tasks together may take 3.5 GiB of memory in environments/prod.yaml.',
      hint,
    },
  ]);
});
