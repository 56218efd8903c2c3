import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import type { Finding } from '../doctor/check.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import type { Style } from '../output/style.ts';

export function addDoctorCommand(program: Command, cli: Cli): void {
  withOutput(program.command('doctor'))
    .description('whether this machine has what Sluice needs, each line with its remedy')
    .action((options: OutputOptions) => examine(cli, options));
}

async function examine(cli: Cli, options: OutputOptions): Promise<void> {
  const rows = await allFindings(cli);
  const output = cli.output(options);
  await output.list({ rows, columns: COLUMNS, name: (row) => row.check });
  if (output.isForPeople) for (const { check, remedy } of rows) if (remedy !== null) cli.next(check, remedy);
  // Told by the lines themselves; only the exit code is left to say.
  if (rows.some(({ verdict }) => verdict === 'fail')) cli.exitCode = 1;
}

async function allFindings(cli: Cli): Promise<readonly Finding[]> {
  const [programs, machine, project] = await Promise.all([
    import('../doctor/program-checks.ts'),
    import('../doctor/machine-checks.ts'),
    import('../doctor/project-checks.ts'),
  ]);
  const { env, cwd } = cli.io;
  const { root, finding } = await project.checkProjectFolder(cwd);
  return Promise.all([
    programs.checkNode(),
    programs.checkGit(),
    programs.checkBash(),
    programs.checkPython(env.SLUICE_PYTHON || undefined),
    programs.checkSpark(env.SLUICE_SPARK_SUBMIT || undefined, env.PATH),
    programs.checkDuckdb(),
    programs.checkPostgres(env.DATABASE_URL),
    machine.checkPort(env),
    machine.checkDisk(root),
    machine.checkWriting(root),
    machine.checkTimeZones(),
    finding,
    project.checkServer(cli),
  ]);
}

const MARKS = { ok: ['✓', 'green'], warn: ['!', 'yellow'], fail: ['✗', 'red'] } as const;

const COLUMNS: readonly Column<Finding>[] = [
  {
    header: 'STATUS',
    cell: ({ verdict }) => {
      const [symbol, colour] = MARKS[verdict];
      const text = `${symbol} ${verdict}`;
      return { kind: 'marks', text, paint: (style: Style) => style[colour](text), plain: verdict };
    },
  },
  { header: 'CHECK', cell: (row) => row.check },
  { header: 'FOUND', cell: (row) => row.found, shrinks: true },
  { header: 'REMEDY', cell: (row) => row.remedy, wide: true, shrinks: true },
];
