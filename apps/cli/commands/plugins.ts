import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import { compileProject } from '../project/compile-project.ts';
import { findProject } from '../project/project.ts';

interface Row {
  readonly name: string;
  readonly version: string | null;
  /** `added`: in dags/plugins; `available`: comes with Sluice and can be added; `broken`: its file has problems. */
  readonly state: 'added' | 'available' | 'broken';
  /** Folder or npm package that holds its code. */
  readonly from: string;
  readonly usedBy: readonly string[];
  readonly description: string;
}

export function addPluginsCommands(program: Command, cli: Cli): void {
  const group = program.command('plugins').description('what `uses:` of a task can name');
  withOutput(group.command('list', { isDefault: true }))
    .description('plugins of this project, and those that come with Sluice; no server needed')
    .action((options: OutputOptions) => listPlugins(cli, options));
  group
    .command('add')
    .description('copies a plugin that comes with Sluice into dags/plugins, or notes there one that npm installed')
    .argument('<plugin>', 'dbt, mlflow, or the name of an npm package in node_modules')
    .action((plugin: string) => addPlugin(cli, plugin));
}

async function listPlugins(cli: Cli, options: OutputOptions): Promise<void> {
  const project = await findProject(cli.io.cwd);
  const [{ texts, pipelines }, { readPluginFolders }, { shippedPlugins }] = await Promise.all([
    compileProject(project),
    import('#dag'),
    import('../plugins/shipped-plugins.ts'),
  ]);
  const { plugins } = readPluginFolders([...texts].map(([file, text]) => ({ file, text })));
  const usersOf = (name: string): string[] =>
    pipelines
      .filter(({ tasks }) => tasks.some(({ body }) => body.kind === 'uses' && body.plugin === name))
      .map((pipeline) => pipeline.name);
  const added = [...plugins].map(([name, plugin]): Row => ({
    name,
    version: plugin?.version ?? null,
    state: plugin === null ? 'broken' : 'added',
    from: plugin?.package ?? `dags/plugins/${name}`,
    usedBy: usersOf(name),
    description: plugin?.description ?? '',
  }));
  const available = (await shippedPlugins())
    .filter(({ name }) => !plugins.has(name))
    .map(({ name, version, description }): Row => {
      return { name, version, state: 'available', from: `sluice plugins add ${name}`, usedBy: [], description };
    });
  await cli.output(options).list<Row>({
    rows: [...added, ...available].sort((a, b) => (a.name < b.name ? -1 : 1)),
    name: (row) => row.name,
    columns: [
      { header: 'NAME', cell: (row) => row.name },
      { header: 'VERSION', cell: (row) => row.version },
      { header: 'STATE', cell: (row) => row.state },
      { header: 'FROM', cell: (row) => row.from },
      { header: 'USED BY', cell: (row) => row.usedBy.join(' ') || null, shrinks: true },
      { header: 'DESCRIPTION', cell: (row) => row.description, shrinks: true },
    ],
  });
}

async function addPlugin(cli: Cli, plugin: string): Promise<void> {
  const project = await findProject(cli.io.cwd);
  const { addToProject } = await import('../plugins/add-plugin.ts');
  const { name, version, written } = await addToProject(project.root, plugin);
  for (const { file, was } of written) cli.say(`${file}: ${was}`);
  cli.next('use it', `uses: ${name}@${version.split('.')[0]}`);
}
