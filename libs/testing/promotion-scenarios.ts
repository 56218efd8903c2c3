import type { PromotionWorld } from './promotion-world.ts';
import { FAILURE } from './scripted-executor.ts';

const ETL = `
name: etl
tasks:
  load: { run: "true", checks: [{ name: rows, expr: outputs.rows > 0 }] }`;

/** Releases whose promotion to prod ends in each way, for every process that takes them on. */
export const CRASHING = {
  prod: `
gates: [{ smoke: { pipelines: [etl] } }, { checks: { pipelines: [etl] } }]
verify: { pipelines: [etl] }
auto_rollback: true`,
  /** What every process knows: files of the releases, and how their attempts end. */
  begin: async (world: PromotionWorld): Promise<void> => {
    for (const digest of ['first', 'good', 'unfit', 'broken']) await world.release(digest, ETL);
    world.end = ({ release, environment }) => {
      const fails = (release === 'unfit' && environment === 'dev') || (release === 'broken' && environment === 'prod');
      return Promise.resolve(fails ? { outcome: FAILURE } : { outputs: { rows: 3 } });
    };
  },
} as const;
