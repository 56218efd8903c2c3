import type { PipelineFile } from './compile-pipelines.ts';

/**
 * Without the YAML of others: below a folder whose name begins with `_`, and in a folder below `dags/` that holds a
 * `dbt_project.yml`, which dbt wants beside YAML of its own.
 */
export function ownFiles(files: readonly PipelineFile[]): readonly PipelineFile[] {
  const projects = files.flatMap(({ file }) => /^.+\/(?=dbt_project\.yml$)/.exec(file)?.[0] ?? []);
  return files.filter(
    ({ file }) => !/(^|\/)_[^/]*\//.test(file) && !projects.some((project) => file.startsWith(project)),
  );
}
