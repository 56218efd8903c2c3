import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli.ts';
import type { Written } from '../init/write-project.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';

const TEMPLATES = ['etl', 'ml'] as const;

interface InitOptions extends OutputOptions {
  readonly template?: (typeof TEMPLATES)[number];
}

export function addInitCommand(program: Command, cli: Cli): void {
  withOutput(program.command('init'))
    .description('begin a project: a first pipeline, three environments, completion in the editor; overwrites nothing')
    .argument('[folder]', 'made if it is not there', '.')
    .addOption(new Option('--template <name>', 'a larger example besides').choices(TEMPLATES))
    .action((folder: string, options: InitOptions) => init(cli, folder, options));
}

async function init(cli: Cli, folder: string, options: InitOptions): Promise<void> {
  const [{ writeProject }, { pipelineJsonSchema }] = await Promise.all([
    import('../init/write-project.ts'),
    import('#dag'),
  ]);
  const root = resolve(cli.io.cwd, folder);
  const rows: Written[] = await writeProject(root, options.template ?? null, pipelineJsonSchema());
  await cli.output(options).list({
    rows,
    name: (row) => row.file,
    columns: [
      { header: 'FILE', cell: (row) => row.file },
      { header: 'WAS', cell: (row) => row.was },
    ],
  });
  const left = rows.filter(({ was }) => was === 'left as it is').length;
  if (left > 0) cli.say(`${left} ${left === 1 ? 'file was' : 'files were'} there already and stayed as they are.`);
  const enter = folder === '.' ? '' : `cd ${folder} && `;
  cli.next('check it', `${enter}sluice validate`);
  cli.next('run it', `${enter}sluice run hello --local`);
}
