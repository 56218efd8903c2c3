import type { PromotionPlan } from '#contracts';
import { cleanLine } from '../output/clean-text.ts';
import type { Style } from '../output/style.ts';
import { diffLines } from '../release/diff-lines.ts';

/** A plan for people at a terminal. */
export function planLines(plan: PromotionPlan, style: Style): string[] {
  return [
    style.bold(headline(plan)),
    '',
    ...orElse(diffLines({ ...plan, files: [] }, style), 'No pipeline changes.'),
    ...section('Next fires', firesLines(plan)),
    ...section('Data', pathLines(plan)),
    ...section('Missing', missingLines(plan)),
    ...section('Locations back to earlier data', takenBackLines(plan)),
    ...section('Runs in flight on another release', runLines(plan)),
    ...section(
      'Gates',
      plan.gates.map(({ name }) => name),
    ),
    ...section('Before the switch', conditionLines(plan)),
    '',
    style.bold(riskLine(plan)),
  ];
}

/** The same for a comment on a pull request. */
export function planMarkdown(plan: PromotionPlan, plain: Style): string {
  const changes = diffLines({ ...plan, files: [] }, plain);
  const block = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', `**${title}**`, '', ...lines.map((line) => `- ${escaped(line)}`)];
  return [
    `### ${escaped(headline(plan))}`,
    '',
    `**${escaped(riskLine(plan))}**`,
    '',
    ...(changes.length === 0 ? ['No pipeline changes.'] : ['```diff', ...changes.map(fenceSafe), '```']),
    ...block('Next fires', firesLines(plan)),
    ...block('Data', pathLines(plan)),
    ...block('Missing', missingLines(plan)),
    ...block('Locations back to earlier data', takenBackLines(plan)),
    ...block('Runs in flight on another release', runLines(plan)),
    ...block(
      'Gates',
      plan.gates.map(({ name }) => name),
    ),
    ...block('Before the switch', conditionLines(plan)),
    '',
  ].join('\n');
}

/** True when promoting it would change what runs. */
export function hasChanges({ pipelines }: PromotionPlan): boolean {
  return pipelines.length > 0;
}

function headline({ environment, release, current, kind }: PromotionPlan): string {
  const what = release === null ? 'these files' : `${release.alias} (${release.digest.slice(0, 12)})`;
  const over = current === null ? 'nothing yet' : `${current.alias} (${current.digest.slice(0, 12)})`;
  return `${kind === 'rollback' ? 'Roll back' : 'Promote'} ${what} to ${environment}, which runs ${over}`;
}

function riskLine({ risk }: PromotionPlan): string {
  return `Risk: ${risk.level}${risk.reasons.length > 0 ? ` (${risk.reasons.join(', ')})` : ''}`;
}

function firesLines({ schedules }: PromotionPlan): string[] {
  return schedules.map(({ pipeline, before, after }) => {
    const shown = (fires: readonly string[]) =>
      fires.length === 0 ? 'never' : fires.map((at) => at.replace(/:00\.000Z$/, 'Z')).join(', ');
    return `${pipeline}: ${shown(before)} → ${shown(after)}`;
  });
}

function pathLines({ paths }: PromotionPlan): string[] {
  return [
    ...paths.added.map((path) => `${path} is written from now on`),
    ...paths.orphaned.map((path) => `${path} is no longer written; its data stays`),
  ];
}

function missingLines({ missing, environment }: PromotionPlan): string[] {
  return [
    ...missing.secrets.map((name) => `secret ${name}: add it to environments/${environment}.yaml`),
    ...missing.pools.map((name) => `pool ${name}: add it to environments/${environment}.yaml`),
  ];
}

function takenBackLines({ takenBack }: PromotionPlan): string[] {
  // A version's id begins with its location.
  const short = (version: string) => version.slice(version.lastIndexOf('/') + 1);
  return takenBack.map(
    ({ location, version, before }) =>
      `${location}: ${short(version)} → ${before === null ? 'nothing' : short(before)}`,
  );
}

function runLines({ runsInFlight }: PromotionPlan): string[] {
  return runsInFlight.map(({ pipeline, release, runs }) => `${pipeline}: ${runs} on ${release.slice(0, 12)}`);
}

function conditionLines({ approvals, window, freezes, hold }: PromotionPlan): string[] {
  const { needed, groups, excludeAuthor } = approvals;
  const who = `${groups.length > 0 ? ` of ${groups.join(' or ')}` : ''}${excludeAuthor ? ', not by its author' : ''}`;
  return [
    ...(hold === null ? [] : [`the release is on hold: ${hold}`]),
    ...(needed === 0 ? [] : [`${needed} ${needed === 1 ? 'approval' : 'approvals'}${who}`]),
    ...(window === null ? [] : [`window ${window.cron} ${window.timezone}, ${window.open ? 'open' : 'closed'} now`]),
    ...freezes.map(({ startsAt, endsAt, reason }) => `freeze from ${startsAt} to ${endsAt}: ${reason}`),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${cleanLine(line)}`)];
}

function orElse(lines: readonly string[], otherwise: string): readonly string[] {
  return lines.length === 0 ? [otherwise] : lines;
}

/** Nothing that a file says becomes a link, a picture or a mention in the comment. */
function escaped(line: string): string {
  return cleanLine(line).replace(/[\\`*_[\]<>#@|!]/g, (character) => `\\${character}`);
}

function fenceSafe(line: string): string {
  return line.replaceAll('```', "'''");
}
