import { join, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { ImportedAirflow, ImportNote } from '#dag/airflow';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { cleanLine } from '../output/clean-text.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import type { Style } from '../output/style.ts';

interface ImportOptions extends OutputOptions {
  readonly out: string;
  readonly dryRun?: boolean;
  readonly airflow: '2' | '3';
}

export function addImportCommands(program: Command, cli: Cli): void {
  const group = program.command('import').description('pipelines of other systems as pipeline files');
  withOutput(group.command('airflow'))
    .description('dag-factory files and serialized DAGs as pipelines, and line by line what could not be carried over')
    .argument('<path>', 'a YAML file of dag-factory, a JSON file of SerializedDAG, or a folder of them')
    .option('--out <folder>', 'where the files are written; one that is there is never changed', 'dags')
    .option('--dry-run', 'only the report; nothing is written')
    .addOption(
      new Option('--airflow <version>', 'what dag-factory files were written for: 2 catches up unless told not to')
        .choices(['2', '3'])
        .default('2'),
    )
    .action((path: string, options: ImportOptions) => importFrom(cli, path, options));
}

async function importFrom(cli: Cli, path: string, options: ImportOptions): Promise<void> {
  const [{ airflowSources }, { importAirflow }] = await Promise.all([
    import('../import/airflow-sources.ts'),
    import('#dag/airflow'),
  ]);
  const { sources, python } = await airflowSources(
    resolve(cli.io.cwd, path),
    cli.io.cwd,
    options.airflow === '3' ? 3 : 2,
  );
  const imported = importAirflow(sources);
  const written = options.dryRun ? null : await writeFiles(cli, imported, options.out);
  const output = cli.output(options);
  if (output.isForPeople) output.lines(imported.notes.flatMap((note) => noteLines(note, cli.outStyle)));
  else if (output.format === 'json' || output.format === 'yaml' || output.format === 'ndjson')
    await output.one(
      { pipelines: imported.pipelines, files: written ?? plannedFiles(imported), notes: imported.notes },
      path,
      [],
    );
  else await output.list({ rows: imported.notes, columns: COLUMNS, name: placeOf });
  sayResult(cli, imported, python, options);
  if (imported.pipelines.length === 0) cli.exitCode = EXIT_CODES.invalid_config;
}

interface Written {
  readonly file: string;
  readonly was: 'written' | 'left as it is' | 'planned';
}

function plannedFiles(imported: ImportedAirflow): Written[] {
  return imported.files.map(({ path }) => ({ file: path, was: 'planned' }));
}

async function writeFiles(cli: Cli, imported: ImportedAirflow, folder: string): Promise<Written[]> {
  const { writeNew } = await import('../init/write-project.ts');
  const written: Written[] = [];
  for (const { path, text } of imported.files) {
    const was = await writeNew(join(resolve(cli.io.cwd, folder), path), Buffer.from(text));
    if (was !== 'written') cli.warn(`${join(folder, path)} was there already and stayed as it is.`);
    written.push({ file: join(folder, path), was });
  }
  return written;
}

function sayResult(
  cli: Cli,
  { notes, pipelines, files }: ImportedAirflow,
  python: readonly string[],
  options: ImportOptions,
): void {
  const lost = notes.filter(({ kind }) => kind === 'lost').length;
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  const what = options.dryRun ? 'would be written' : `in ${options.out}`;
  cli.say(
    `${count(pipelines.length, 'pipeline')} (${count(files.length, 'file')}) ${what}; ${lost} lost, ${notes.length - lost} changed.`,
  );
  if (python.length > 0)
    cli.say(`${count(python.length, 'Python file')} not read: export those DAGs as docs/from-airflow.md shows.`);
  if (pipelines.length > 0 && !options.dryRun) cli.next('check it', 'sluice validate');
}

const COLUMNS = (['kind', 'message', 'hint'] as const)
  .map((key) => ({ header: key.toUpperCase(), cell: (note: ImportNote) => note[key] }))
  .toSpliced(0, 0, { header: 'PLACE', cell: placeOf });

/** `file:line:column` where the source has lines, `file: path` within it otherwise. */
function placeOf({ file, path, line, column }: ImportNote): string {
  return line === null ? `${file}: ${path}` : `${file}:${line}:${column ?? 1}`;
}

function noteLines(note: ImportNote, style: Style): string[] {
  const kind = note.kind === 'lost' ? style.red('lost:') : style.yellow('changed:');
  return [
    `${style.bold(cleanLine(`${placeOf(note)}:`))} ${kind} ${cleanLine(note.message)}`,
    `  ${style.dim('hint:')} ${cleanLine(note.hint)}`,
  ];
}
