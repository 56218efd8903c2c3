import type { Problem } from '#core';
import { cleanText } from '../output/clean-text.ts';
import { junitReport } from '../output/junit.ts';
import type { CheckedFile } from '../project/check-project.ts';

/** Formats that other programs read. */
export const MACHINE_FORMATS = ['json', 'junit', 'sarif', 'github'] as const;
export type MachineFormat = (typeof MACHINE_FORMATS)[number];

/** The whole report as text that ends in a line break. */
export function machineReport(files: readonly CheckedFile[], format: MachineFormat, version: string): string {
  switch (format) {
    case 'json':
      return jsonReport(files);
    case 'junit':
      return junitOfFiles(files);
    case 'sarif':
      return sarifReport(files, version);
    case 'github':
      return githubReport(files);
  }
}

function jsonReport(files: readonly CheckedFile[]): string {
  const problems = files.flatMap((file) => file.problems);
  const report = { valid: problems.length === 0, files: files.map(({ path }) => path), problems };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** One test case for each file, so that a report shows the good ones as well. */
function junitOfFiles(files: readonly CheckedFile[]): string {
  return junitReport(
    'sluice validate',
    files.map(({ path, problems }) => {
      const text = problems.map(
        ({ line, column, message, hint }) => `${path}:${line}:${column}: ${message}${hint ? `\n  hint: ${hint}` : ''}`,
      );
      const failure = { message: problems[0]?.message ?? '', type: 'invalid_config', text: text.join('\n') };
      return { classname: 'sluice.validate', name: path, file: path, ...(problems.length === 0 ? {} : { failure }) };
    }),
  );
}

function sarifReport(files: readonly CheckedFile[], version: string): string {
  const results = files
    .flatMap((file) => file.problems)
    .map(({ file, line, column, message, hint }) => ({
      ruleId: 'invalid-config',
      level: 'error',
      message: { text: hint === undefined ? message : `${message}\n${hint}` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: '%SRCROOT%' },
            region: { startLine: line, startColumn: column },
          },
        },
      ],
    }));
  const driver = {
    name: 'sluice',
    version,
    rules: [{ id: 'invalid-config', shortDescription: { text: 'A pipeline or environment file has a problem' } }],
  };
  const report = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** Workflow commands of GitHub Actions: annotations at the lines of a pull request. */
function githubReport(files: readonly CheckedFile[]): string {
  return files
    .flatMap((file) => file.problems)
    .map((problem) => `${githubCommand(problem)}\n`)
    .join('');
}

function githubCommand({ file, line, column, message, hint }: Problem): string {
  const text = hint === undefined ? message : `${message}\n${hint}`;
  return `::error file=${githubProperty(file)},line=${line},col=${column},title=sluice validate::${githubData(text)}`;
}

function githubData(text: string): string {
  return cleanText(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function githubProperty(text: string): string {
  return githubData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
