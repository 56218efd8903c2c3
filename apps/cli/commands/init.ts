import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli.ts';
import type { CiSystem, Written } from '../init/write-project.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';

const TEMPLATES = ['etl', 'ml'] as const;
const CI: readonly CiSystem[] = ['jenkins', 'github', 'gitlab'];

interface InitOptions extends OutputOptions {
  readonly template?: (typeof TEMPLATES)[number];
  readonly ci?: CiSystem;
}

export function addInitCommand(program: Command, cli: Cli): void {
  withOutput(program.command('init'))
    .description('begin a project: a first pipeline, three environments, completion in the editor; overwrites nothing')
    .argument('[folder]', 'made if it is not there', '.')
    .addOption(new Option('--template <name>', 'a larger example besides').choices(TEMPLATES))
    .addOption(
      new Option(
        '--ci <system>',
        'the file by which this CI system promotes; only that where there are pipelines',
      ).choices(CI),
    )
    .action((folder: string, options: InitOptions) => init(cli, folder, options));
}

async function init(cli: Cli, folder: string, options: InitOptions): Promise<void> {
  const [{ hasPipelines, writeCi, writeProject }, { pipelineJsonSchema, testsJsonSchema }] = await Promise.all([
    import('../init/write-project.ts'),
    import('#dag'),
  ]);
  const root = resolve(cli.io.cwd, folder);
  const rows: Written[] = [];
  // Who has pipelines and asks for a CI file wants no example besides.
  const wholeProject = options.ci === undefined || options.template !== undefined || !(await hasPipelines(root));
  if (wholeProject)
    rows.push(
      ...(await writeProject(root, options.template ?? null, {
        pipeline: pipelineJsonSchema(),
        tests: testsJsonSchema(),
      })),
    );
  if (options.ci !== undefined) rows.push(...(await writeCi(root, options.ci)));
  await cli.output(options).list({
    rows,
    name: (row) => row.file,
    columns: [
      { header: 'FILE', cell: (row) => row.file },
      { header: 'WAS', cell: (row) => row.was },
    ],
  });
  const left = rows.filter(({ was }) => was === 'left as it is').length;
  if (left > 0)
    cli.say(
      left === 1
        ? '1 file was there already and stayed as it is.'
        : `${left} files were there already and stayed as they are.`,
    );
  const enter = folder === '.' ? '' : `cd ${folder} && `;
  cli.next('check it', `${enter}sluice validate`);
  if (wholeProject) cli.next('run it', `${enter}sluice run hello --local`);
}
