import { Option, type Command } from 'commander';
import type { CompiledPipeline } from '#core';
import type * as dag from '#dag';
import type { Cli } from '../cli.ts';
import { countArgument, withEnvironment } from '../options.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import { findProject } from '../project/project.ts';

interface PreviewOptions extends OutputOptions {
  readonly env: string;
  readonly count: number;
  readonly aroundDst?: boolean;
  readonly tzAll?: boolean;
}

/** One fire, in the zone of the schedule or, with `--tz-all`, in one that it is read in. */
interface Row {
  readonly timezone: string;
  /** Zones in which the same fires come at the same instants, this one included. */
  readonly zones: number;
  readonly at: string;
  readonly local: string;
  readonly offset: string;
  readonly intervalStart: string;
  readonly intervalEnd: string;
  readonly clocks: string | null;
}

export function addScheduleCommands(program: Command, cli: Cli): void {
  const schedule = program.command('schedule').description('when runs are created');
  withOutput(withEnvironment(schedule.command('preview')))
    .description('the next fires of a pipeline of this project, as the clocks show them; no server needed')
    .argument('<pipeline>')
    .addOption(new Option('-n, --count <fires>', 'how many').argParser(countArgument).default(10))
    .option('--around-dst', 'those around the next two changes of the clocks, up to a day away')
    .option('--tz-all', 'the schedule read in every time zone; zones that fire alike share their lines')
    .action((name: string, options: PreviewOptions) => preview(cli, name, options));
}

async function preview(cli: Cli, name: string, options: PreviewOptions): Promise<void> {
  const [{ loadEnvironment, loadPipeline }, time] = await Promise.all([
    import('../project/load-pipeline.ts'),
    import('#dag'),
  ]);
  const project = await findProject(cli.io.cwd);
  const [{ pipeline }] = await Promise.all([loadPipeline(project, name), loadEnvironment(project, options.env)]);
  const { schedule } = time.withOverlay(pipeline, options.env);
  cli.say(`${name} in ${options.env}: ${time.describeSchedule(schedule)}`);
  const rows = rowsOf(time, schedule, options, new Date());
  await cli.output(options).list<Row>({
    rows,
    name: (row) => row.at,
    columns: [
      ...(options.tzAll
        ? [
            { header: 'ZONE', cell: (row: Row) => row.timezone },
            { header: 'ZONES', cell: (row: Row) => row.zones, align: 'right' as const },
          ]
        : []),
      { header: 'CREATED', cell: (row) => row.at },
      { header: 'LOCAL', cell: (row) => row.local },
      { header: 'OFFSET', cell: (row) => row.offset },
      { header: 'INTERVAL FROM', cell: (row) => row.intervalStart },
      { header: 'TO', cell: (row) => row.intervalEnd, wide: true },
      { header: 'CLOCKS', cell: (row) => row.clocks, shrinks: true },
    ],
  });
}

function rowsOf(
  time: typeof dag,
  schedule: CompiledPipeline['schedule'],
  { count, aroundDst, tzAll }: PreviewOptions,
  now: Date,
): Row[] {
  if (schedule.kind === 'manual') return [];
  const zones = tzAll ? ['UTC', ...Intl.supportedValuesOf('timeZone')] : [schedule.timezone];
  const alike = new Map<string, { timezone: string; zones: number; fires: dag.FirePreview[] }>();
  for (const timezone of zones) {
    const there = { ...schedule, timezone };
    const fires = aroundDst ? time.previewAroundChanges(there, now, count) : time.previewFires(there, now, now, count);
    const key = fires.map(({ at, offset, clocks }) => `${at.getTime()} ${offset} ${clocks}`).join();
    const same = alike.get(key);
    if (same) same.zones += 1;
    else alike.set(key, { timezone, zones: 1, fires });
  }
  return [...alike.values()].flatMap(({ timezone, zones: many, fires }) =>
    fires.map(({ interval, at, local, offset, clocks }) => ({
      timezone,
      zones: many,
      at: at.toISOString(),
      local,
      offset,
      intervalStart: interval.start.toISOString(),
      intervalEnd: interval.end.toISOString(),
      clocks,
    })),
  );
}
