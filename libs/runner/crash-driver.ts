// Started by tests as a process of its own, to be killed with -9 while attempts of every kind run in it.
import { anAssignment, anExecutor, shell } from './executor-fixture.ts';

const world = await anExecutor(
  {
    'forever.mjs': 'export const run = () => { console.log("here"); for (;;); };',
    'forever.py': 'import subprocess\nsubprocess.Popen(["sleep", "1000"])\nprint("here")\nwhile True: pass\n',
  },
  { concurrency: 5, path: '/usr/bin:/bin' },
);
const tasks = [
  shell('trap "" TERM HUP; (trap "" TERM; sleep 1000 & wait) & echo here; wait'),
  shell('setsid sleep 1000 > /dev/null 2>&1 & echo here; sleep 1000'),
  anAssignment({ body: { kind: 'node', file: 'forever.mjs', export: 'run' } }),
  anAssignment({ body: { kind: 'python', file: 'forever.py', module: null, function: null } }),
  anAssignment({
    body: {
      kind: 'sql',
      file: null,
      text: 'select 1 as here; select count(*) from range(100000000) a, range(100000000) b where a.range * b.range = 7',
      variables: {},
    },
  }),
];
world.executor.dispatch(tasks);
await Promise.all(tasks.map((task) => world.lineOf(task, /here|select/)));
process.stdout.write(`${JSON.stringify({ pidFolder: world.pidFolder, folder: world.folder })}\n`);
