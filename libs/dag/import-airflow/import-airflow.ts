import { parsePipeline } from '../parse-pipeline.ts';
import type { AirflowDag } from './airflow-dag.ts';
import { Names } from './names.ts';
import { pipelineText } from './pipeline-text.ts';
import { createProject, type Project } from './project.ts';
import { callablesFile, tasksFile } from './python-file.ts';
import { readDagFactory } from './read-dag-factory.ts';
import { readSerialized } from './read-serialized.ts';
import type { AirflowVersion } from './read-timetable.ts';
import { Report, type ImportNote } from './report.ts';
import { toPipeline } from './to-pipeline.ts';

export interface AirflowSource {
  /** As it is named in the report. */
  readonly file: string;
  readonly text: string;
  /** Text of the `defaults.yml` that dag-factory finds for this file. */
  readonly defaults?: string;
  /** What a dag-factory file was written for; a serialized DAG says it itself. */
  readonly version?: AirflowVersion;
}

export interface ImportedFile {
  /** Below dags/, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface ImportedAirflow {
  /** Pipelines that validate, and the Python files that they name. */
  readonly files: readonly ImportedFile[];
  readonly pipelines: readonly string[];
  readonly notes: readonly ImportNote[];
}

/**
 * The pipelines that stand for the DAGs of dag-factory files (YAML) and serialized DAGs (JSON). Never throws, whatever
 * the texts are: what cannot be carried over is in the notes, with its place and what to do.
 */
export function importAirflow(sources: readonly AirflowSource[]): ImportedAirflow {
  const names = new PipelineNames();
  const read = sources.map((source) => {
    const report = new Report(source.file);
    return { report, dags: readDags(source, report) };
  });
  const pipelines = new Map(read.flatMap(({ dags }) => dags).map((dag) => [dag, names.give(dag.id)]));
  const projectOf = createProject(pipelines);
  const results = read.map(({ report, dags }) =>
    joined(
      report,
      dags.map((dag) => importDag(dag, pipelines.get(dag) ?? '', projectOf(dag))),
    ),
  );
  return {
    files: results.flatMap(({ files }) => files),
    pipelines: results.flatMap(({ pipelines }) => pipelines),
    notes: results.flatMap(({ notes }) => notes),
  };
}

function joined(report: Report, written: readonly ImportedAirflow[]): ImportedAirflow {
  const notes = [...report.toArray(), ...written.flatMap((each) => each.notes)];
  return {
    files: written.flatMap(({ files }) => files),
    pipelines: written.flatMap(({ pipelines }) => pipelines),
    notes: notes.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)),
  };
}

function readDags({ file, text, defaults, version }: AirflowSource, report: Report): AirflowDag[] {
  const isJson = file.endsWith('.json') || /^\s*[[{]/.test(text);
  return isJson ? readSerialized(text, report) : readDagFactory(text, defaults ?? null, version ?? 2, report);
}

function importDag(dag: AirflowDag, name: string, project: Project): ImportedAirflow {
  const { report } = dag;
  const converted = toPipeline(dag, name, project);
  if (converted === null) return { files: [], pipelines: [], notes: report.toArray() };
  const { file, comments, calls, notebooks } = converted;
  const text = pipelineText(file, comments, `Airflow's DAG "${dag.id}" in ${report.file}`, report.toArray());
  const { problems } = parsePipeline(`${name}.yaml`, text);
  for (const { message, hint } of problems)
    report.lost(dag.place, `The DAG "${dag.id}" is not written: ${message}`, hint ?? 'Write the pipeline by hand.');
  if (problems.length > 0) return { files: [], pipelines: [], notes: report.toArray() };
  const files = [{ path: `${name}.yaml`, text }];
  if (calls.length > 0) files.push({ path: `${name}/tasks.py`, text: tasksFile(dag.id, calls) });
  if (calls.some(({ module }) => module === null))
    files.push({ path: `${name}/callables.py`, text: callablesFile(dag.id, calls) });
  for (const [path, source] of notebooks) files.push({ path, text: missingNotebook(source) });
  return { files, pipelines: [name], notes: report.toArray() };
}

/** A notebook that stands in the place of one that nobody has copied yet: it fails, and says so. */
function missingNotebook(source: string): string {
  const text = `raise NotImplementedError(${JSON.stringify(`copy ${source} to the place of this notebook`)})`;
  const cell = { cell_type: 'code', execution_count: null, metadata: {}, outputs: [], source: text };
  const metadata = { kernelspec: { display_name: 'Python 3', language: 'python', name: 'python3' } };
  return `${JSON.stringify({ cells: [cell], metadata, nbformat: 4, nbformat_minor: 4 }, null, 1)}\n`;
}

/** DAGs of several files may have the same id; pipelines may not. */
class PipelineNames {
  readonly #names = new Names('-');
  readonly #seen = new Map<string, number>();

  give(id: string): string {
    const count = (this.#seen.get(id) ?? 0) + 1;
    this.#seen.set(id, count);
    return this.#names.give(count === 1 ? id : `${id}\n${count}`);
  }
}
