import { stringify } from 'yaml';
import type { Pipeline, Task } from '../workloads.ts';
import { shellText, watchedText } from '../bodies/body.mjs';
import type { Spec } from './serve.mjs';

type Told = Pick<Spec, 'engine' | 'effects' | 'bodies'>;

const RUN = '$SLUICE_PIPELINE#$SLUICE_RUN_ID';

/** The workload's pipeline as a file of `dags/`; what fans out is written with `matrix`. */
export function pipelineFile({ name, shape, tasks }: Pipeline, told: Told): string {
  const base = { name, max_active_runs: 1000 };
  const [first] = tasks as readonly [Task, ...Task[]];
  const [body, each] = [bodyOf(first, told), bodyOf(first, told, '_$SLUICE_MAP_INDEX')];
  const items = (width: number) => ({ matrix: { n: Array.from({ length: width }, (_, i) => i) }, max_fanout: width });
  if (shape.kind === 'diamond')
    return text({
      ...base,
      tasks: {
        first: body,
        each: { needs: 'first', ...items(shape.width), ...each },
        last: { needs: 'each', ...body },
      },
    });
  if (shape.kind === 'groups') {
    const steps = Array.from({ length: shape.length }, (_, i) => [
      `step${i}`,
      { group: 'each', ...(i === 0 ? {} : { needs: `step${i - 1}` }), ...each },
    ]);
    return text({ ...base, groups: { each: items(shape.width) }, tasks: Object.fromEntries(steps) });
  }
  const needsOf = ({ needs }: Task) => (shape.kind === 'layers' ? [`${needs[0]?.split('_')[0]}_*`] : needs);
  const entries = tasks.map((task) => [
    task.id,
    { ...(task.needs.length === 0 ? {} : { needs: needsOf(task) }), ...bodyOf(task, told) },
  ]);
  return text({ ...base, tasks: Object.fromEntries(entries) });
}

function text(pipeline: object): string {
  return stringify(pipeline, { aliasDuplicateObjects: false });
}

function bodyOf({ kind, n }: Task, { engine, effects }: Told, suffix = ''): Record<string, unknown> {
  const id = `\${SLUICE_TASK_ID}${suffix}`;
  const shell = (work: string) => ({ run: shellText(effects, engine, RUN, id, '$SLUICE_TRY', work) });
  if (kind === 'shell') return shell('true');
  // A body that was killed is tried once more.
  const again = kind === 'watched' ? { retries: { max: 3, delay: '0s' } } : {};
  if (engine === 'sluice')
    return kind === 'fibo' ? { python: `tasks.py:fibo_${n}` } : { node: `tasks.mjs#${kind}${n * 1000}`, ...again };
  if (kind === 'fibo') return { run: `python3 "$SLUICE_RELEASE_DIR"/tasks.py ${n}` };
  if (kind === 'watched') return { ...shell(watchedText(effects, engine, RUN, id, '$SLUICE_TRY', n)), ...again };
  return shell(kind === 'sleep' ? `sleep ${n}` : 'true');
}

/** Functions for `node:`; `each` and `step0`, … fan out. Sleeps with their milliseconds behind them. */
export function tasksModule({ engine, effects, bodies }: Told): string {
  return `import { perform } from '${bodies}/body.mjs';
const task = (kind, n) => ({ env }) => {
  const id = env.SLUICE_TASK_ID + (/^(each|step\\d+)$/.test(env.SLUICE_TASK_ID) ? '_' + env.SLUICE_MAP_INDEX : '');
  const told = { engine: '${engine}', effects: '${effects}' };
  return perform(told, env.SLUICE_PIPELINE + '#' + env.SLUICE_RUN_ID, { id, kind, n }, Number(env.SLUICE_TRY));
};
export const noop0 = task('noop', 0);
export const sleep50 = task('sleep', 0.05);
export const watched50 = task('watched', 0.05);
export const watched7200000 = task('watched', 7200);
export const sleep600 = task('sleep', 0.6);
`;
}

/** Functions for `python:`, and the same as a program. */
export function tasksPython({ engine, effects, bodies }: Told): string {
  return `import os, sys
sys.path.insert(0, '${bodies}')
from body import perform

def task(env, n):
    run = env['SLUICE_PIPELINE'] + '#' + env['SLUICE_RUN_ID']
    perform('${effects}', '${engine}', run, env['SLUICE_TASK_ID'], 'fibo', n, env['SLUICE_TRY'])

def fibo_10(ctx):
    task(ctx.env, 10)

def fibo_33(ctx):
    task(ctx.env, 33)

if __name__ == '__main__':
    task(os.environ, int(sys.argv[1]))
`;
}
