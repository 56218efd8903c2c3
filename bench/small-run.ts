import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '#platform';
import { TestProject } from '../apps/standalone/standalone-fixture.ts';
import { type Benchmark, PROMISED_FLOORS } from './benchmark.ts';
import { NOOP_MODULE } from './bench-system.ts';
import { commitFloorMs } from './floors.ts';
import { median } from './quantile.ts';

const RUNS = 200;
const WARM_UP = 30;
/** A run that is made, one that is taken, and the end of each task. */
const COMMITS = 5;
const CHAIN = `name: chain
tasks:
  a: { node: noop.mjs#stamp }
  b: { needs: [a], node: noop.mjs#stamp }
  c: { needs: [b], node: noop.mjs#stamp }
`;

export const smallRun: Benchmark = {
  name: 'L4',
  title: 'a run of three `node:` tasks in a row in an idle system, from asking for it over HTTP',
  measure: async () => {
    const stamps = 'marks/stamps';
    const project = await TestProject.create({ 'dags/chain.yaml': CHAIN, 'marks/.keep': '' });
    await project.write('dags/noop.mjs', NOOP_MODULE.replace('STAMPS', join(project.folder, stamps)));
    const postgres = await startEmbeddedPostgres({ dataFolder: join(project.folder, '.sluice', 'postgres') });
    const server = await project.start({ env: { DATABASE_URL: postgres.url } });
    try {
      const now = (): number => performance.timeOrigin + performance.now();
      const firsts: number[] = [];
      const ends: number[] = [];
      for (let index = 0; index < WARM_UP + RUNS; index++) {
        const asked = now();
        const { id } = await server.client.trigger('chain', { environment: 'dev', params: {} });
        const run = await server.endOf(id);
        const ended = now();
        if (run.state !== 'success') throw new Error(`run ${id} ended as ${run.state}`);
        const lines = (await readFile(join(project.folder, stamps), 'utf8')).trim().split('\n').slice(-3);
        if (index < WARM_UP) continue;
        firsts.push(Number(lines[0]?.split(' ')[1]) - asked);
        ends.push(ended - asked);
      }
      const commit = await commitFloorMs(postgres.url);
      const first = { unit: 'ms', floor: 2 * commit, floorIs: 'two bare durable commits' } as const;
      const whole = { unit: 'ms', floor: COMMITS * commit, floorIs: `${COMMITS} bare durable commits` } as const;
      const two = { promisedFloor: 2 * PROMISED_FLOORS.commitMs };
      const five = { promisedFloor: COMMITS * PROMISED_FLOORS.commitMs };
      return [
        { what: 'until its first task starts, p50', value: median(firsts), promise: 10, ...first, ...two },
        { what: 'until whoever asked hears of its end, p50', value: median(ends), promise: 25, ...whole, ...five },
      ];
    } finally {
      await server.stop();
      await postgres.stop();
      await project.destroy();
    }
  },
};
