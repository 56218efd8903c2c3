import type { Command } from 'commander';
import { SluiceError, type Problem } from '#core';
import type { Release, ReleaseDetail } from '#contracts';
import type { Snapshot } from '#release';
import { ciBuild } from '../ci/ci-build.ts';
import type { Cli } from '../cli.ts';
import { DIFFERENT } from '../exit-codes.ts';
import { countArgument, releaseArgument } from '../options.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import { humanProblems } from '../problems/human.ts';
import { takeSnapshot, withCommit, type CommitOptions } from '../release/commit-release.ts';
import { diffLines, diffRows } from '../release/diff-lines.ts';
import { collectPages } from '../server/collect-pages.ts';

interface CreateOptions extends OutputOptions, CommitOptions {
  readonly branch?: string;
  readonly buildUrl?: string;
}

export function addReleaseCommands(program: Command, cli: Cli): void {
  const releases = program.command('release').description('immutable versions of dags/, made from commits');
  withOutput(withCommit(releases.command('create')))
    .description('make a release of a commit; the same content again is the same release')
    .option('--branch <name>', 'recorded with it; without it what git or the CI build says')
    .option('--build-url <url>', 'recorded with it; without it that of the CI build')
    .action((options: CreateOptions) => createRelease(cli, options));
  withOutput(withCommit(releases.command('digest')))
    .description('only the digest that a release of a commit has; stores nothing, needs no server')
    .action((options: OutputOptions & CommitOptions) => printDigest(cli, options));
  withOutput(releases.command('list').alias('ls'))
    .description('releases, newest first')
    .option('-a, --all', 'those of working trees too')
    .option('-l, --limit <n>', 'how many; 0: all', countArgument, 20)
    .action((options: OutputOptions & { all?: boolean; limit: number }) => listReleases(cli, options));
  withOutput(releases.command('show'))
    .description('one release: where it came from, what it holds, where it runs')
    .argument('<release>', 'digest, at least six digits of it, or alias', releaseArgument)
    .action((ref: string, options: OutputOptions) => showRelease(cli, ref, options));
  withOutput(releases.command('diff'))
    .description('what changed from one release to another: pipelines by meaning, files by content')
    .argument('<from>', 'digest, at least six digits of it, or alias', releaseArgument)
    .argument('<to>', 'the same', releaseArgument)
    .option('--exit-code', 'end with 10 when they differ')
    .action((from: string, to: string, options: OutputOptions & { exitCode?: boolean }) =>
      diffReleases(cli, from, to, options),
    );
}

async function createRelease(cli: Cli, options: CreateOptions): Promise<void> {
  const snapshot = await takeSnapshot(cli, options);
  const client = await cli.connect();
  const { uploadRelease } = await import('#contracts/client');
  const build = ciBuild(cli.io.env);
  const created = uploadRelease(client, snapshot, {
    branch: options.branch ?? snapshot.branch ?? build.branch,
    buildUrl: options.buildUrl ?? build.url,
    onUpload: (sent, all) => cli.say(`Sending ${sent} of ${all} contents.`),
  });
  const release = await created.catch((error: unknown) => {
    throw cli.output(options).isForPeople ? showProblems(cli, snapshot, error) : error;
  });
  await printRelease(cli, release, options, []);
  cli.next('promote it', `sluice promote --release ${release.digest.slice(0, 12)} --to ENVIRONMENT`);
}

/** Prints the problems as `sluice validate` does; what is left to say is returned. */
function showProblems(cli: Cli, { texts }: Snapshot, error: unknown): unknown {
  if (!(error instanceof SluiceError) || error.code !== 'invalid_config') return error;
  const byFile = new Map<string, Problem[]>();
  for (const problem of (error.details.problems ?? []) as readonly Problem[])
    byFile.set(problem.file, [...(byFile.get(problem.file) ?? []), problem]);
  const files = [...byFile].map(([path, problems]) => ({
    ...{ path, problems },
    text: texts.get(path.replace(/^dags\//, '')) ?? '',
  }));
  const lines = humanProblems(files, cli.errStyle, { excerpt: cli.io.err.isTTY });
  cli.io.err.write(lines.map((line) => `${line}\n`).join(''));
  return new SluiceError(error.code, error.message, { hint: error.hint, cause: error });
}

async function printDigest(cli: Cli, options: OutputOptions & CommitOptions): Promise<void> {
  const { digest, commit, files } = await takeSnapshot(cli, options);
  const output = cli.output(options);
  if (output.isForPeople) return output.lines([digest]);
  const value = { digest, commit, files: files.length };
  await output.one(value, digest, Object.entries(value));
}

const COLUMNS: readonly Column<Release>[] = [
  { header: 'DIGEST', cell: (row) => row.digest.slice(0, 12) },
  { header: 'ALIAS', cell: (row) => row.alias },
  { header: 'COMMIT', cell: (row) => commitText(row) },
  { header: 'BRANCH', cell: (row) => row.branch, shrinks: true },
  { header: 'MESSAGE', cell: (row) => row.message, shrinks: true },
  { header: 'AUTHOR', cell: (row) => row.author, shrinks: true, wide: true },
  { header: 'RUNS IN', cell: (row) => row.environments.join(' ') || null },
  { header: 'CREATED', cell: (row) => ({ kind: 'instant', at: row.createdAt }) },
  { header: 'BUILD', cell: (row) => row.buildUrl, wide: true },
];

async function listReleases(cli: Cli, options: OutputOptions & { all?: boolean; limit: number }): Promise<void> {
  const client = await cli.connect();
  const kind = options.all ? {} : { dirty: false };
  const rows = await collectPages(options.limit, (page) => client.releases({ ...kind, ...page }));
  if (rows.length === 0) cli.say('No releases of commits yet; `sluice release create` makes one.');
  await cli.output(options).list({ rows, columns: COLUMNS, name: (row) => row.digest });
}

async function showRelease(cli: Cli, ref: string, options: OutputOptions): Promise<void> {
  const release = await (await cli.connect()).release(ref);
  await printRelease(cli, release, options, [
    ['pipelines', release.pipelines.map(({ name }) => name).join(' ')],
    ['files', `${release.files.length} with ${release.files.reduce((sum, { bytes }) => sum + bytes, 0)} bytes`],
    ['tests', testsText(release.tests)],
  ]);
}

async function printRelease(
  cli: Cli,
  release: Release,
  options: OutputOptions,
  more: readonly (readonly [string, string | null])[],
): Promise<void> {
  await cli
    .output(options)
    .one(release, release.digest, [
      ['digest', release.digest],
      ['alias', release.alias],
      ['commit', commitText(release)],
      ['branch', release.branch],
      ['author', release.author],
      ['message', release.message],
      ['build', release.buildUrl],
      ['runs in', release.environments.join(' ')],
      ['created', { kind: 'instant', at: release.createdAt }],
      ...more,
    ]);
}

function testsText(tests: ReleaseDetail['tests']): string | null {
  if (tests === null) return null;
  return `${tests.passed} passed, ${tests.failed} failed, recorded by ${tests.actor} at ${tests.at}`;
}

function commitText({ commit, dirty }: Release): string | null {
  return dirty ? `${commit?.slice(0, 12) ?? 'no commit'} + changes` : (commit?.slice(0, 12) ?? null);
}

async function diffReleases(
  cli: Cli,
  from: string,
  to: string,
  options: OutputOptions & { exitCode?: boolean },
): Promise<void> {
  const diff = await (await cli.connect()).releaseDiff(from, to);
  const output = cli.output(options);
  const columns = (['what', 'name', 'change', 'field', 'before', 'after'] as const).map((key) => ({
    header: key.toUpperCase(),
    cell: (row: ReturnType<typeof diffRows>[number]) => row[key],
  }));
  if (output.isForPeople) output.lines(diffLines(diff, cli.outStyle));
  else if (output.format === 'csv' || output.format === 'name')
    await output.list({ rows: diffRows(diff), columns, name: (row) => row.name });
  else await output.one(diff, to, []);
  const same = diff.pipelines.length + diff.files.length === 0;
  if (same) cli.say(`${diff.from.alias} and ${diff.to.alias} are the same.`);
  else if (options.exitCode) cli.exitCode = DIFFERENT;
}
