import { Option, type Command } from 'commander';
import type { Cli } from '../cli.ts';
import { isoInstantArgument, paramArgument, withEnvironment } from '../options.ts';
import { cleanText } from '../output/clean-text.ts';
import { findProject } from '../project/project.ts';
import { checkInterval } from './run.ts';

interface RenderOptions {
  readonly env: string;
  readonly at?: string;
  readonly from?: string;
  readonly to?: string;
  readonly task?: string;
  readonly param: Readonly<Record<string, string>>;
  readonly output: 'yaml' | 'json';
  readonly json?: boolean;
}

export function addRenderCommand(program: Command, cli: Cli): void {
  withEnvironment(program.command('render'))
    .description('everything a run would be given, resolved; nothing is run and no server needed')
    .argument('<pipeline>')
    .addOption(
      new Option('--at <instant>', 'for the interval that holds this instant')
        .argParser(isoInstantArgument)
        .conflicts(['from', 'to']),
    )
    .addOption(new Option('--from <instant>', 'start of the interval; with --to').argParser(isoInstantArgument))
    .addOption(new Option('--to <instant>', 'end of the interval, not part of it').argParser(isoInstantArgument))
    .option('-t, --task <task>', 'only this task')
    .addOption(
      new Option('-p, --param <name=value>', 'a parameter; may be repeated')
        .argParser(paramArgument)
        .default({}, 'none'),
    )
    .addOption(new Option('-o, --output <format>', 'format of the data').choices(['yaml', 'json']).default('yaml'))
    .option('--json', 'the same as -o json')
    .action((pipeline: string, options: RenderOptions) => render(cli, pipeline, options));
}

async function render(cli: Cli, name: string, options: RenderOptions): Promise<void> {
  checkInterval(options);
  const [{ loadEnvironment, loadPipeline }, { renderPipeline }] = await Promise.all([
    import('../project/load-pipeline.ts'),
    import('../render/render-pipeline.ts'),
  ]);
  const project = await findProject(cli.io.cwd);
  const [{ pipeline, release }, environment] = await Promise.all([
    loadPipeline(project, name),
    loadEnvironment(project, options.env),
  ]);
  const { at, from, to } = options;
  const rendered = await renderPipeline(pipeline, environment, {
    params: options.param,
    interval: at !== undefined ? { at } : from !== undefined && to !== undefined ? { from, to } : null,
    task: options.task ?? null,
    release,
  });
  if (options.json || options.output === 'json') return cli.io.out.write(`${JSON.stringify(rendered, null, 2)}\n`);
  const { stringify } = await import('yaml');
  cli.io.out.write(cleanText(stringify(rendered, { lineWidth: 0 })));
  for (const { id, instances } of rendered.tasks)
    for (const { unresolved } of instances)
      if (unresolved !== null) cli.say(`Task ${id}: known only when it runs: ${unresolved}`);
}
