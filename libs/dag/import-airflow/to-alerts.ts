import type { AirflowDag } from './airflow-dag.ts';
import type { Args } from './args.ts';
import { KEY_HINTS } from './known-keys.ts';
import type { Report } from './report.ts';
import { isMap, textOf, TypedValue } from './typed-value.ts';

const EVENTS = {
  on_failure_callback: 'run.failed',
  on_retry_callback: 'task.retrying',
  sla_miss_callback: 'run.late',
} as const;
type AlertEvent = (typeof EVENTS)[keyof typeof EVENTS];

/** Rules for `alerts:` from callbacks, e-mail and SLAs of a DAG and its tasks; Sluice tells once per run, not per task. */
export function toAlerts(dag: AirflowDag, report: Report): { on: AlertEvent[]; to: string[] }[] {
  const targets = new Map<AlertEvent, Set<string>>();
  const tell = (event: AlertEvent, target: string): void => {
    targets.set(event, (targets.get(event) ?? new Set()).add(target));
  };
  const holders = [dag.args, ...dag.tasks.map((task) => task.args)];
  for (const args of holders) {
    for (const [key, event] of Object.entries(EVENTS)) fromCallback(args, key, event, tell, report);
    fromEmail(args, tell, report);
  }
  // Events with the same targets share a rule.
  const rules = new Map<string, { on: AlertEvent[]; to: string[] }>();
  for (const [event, to] of targets) {
    const key = [...to].join(' ');
    const rule = rules.get(key);
    if (rule === undefined) rules.set(key, { on: [event], to: [...to] });
    else rule.on.push(event);
  }
  return [...rules.values()];
}

function fromCallback(
  args: Args,
  key: string,
  event: AlertEvent,
  tell: (event: AlertEvent, target: string) => void,
  report: Report,
): void {
  const callbacks = [args.take(key), args.take(`${key}_name`)]
    .flat()
    .filter((each) => each !== undefined && each !== false);
  args.take(`${key}_file`);
  for (const callback of callbacks) {
    const channel = slackChannel(callback);
    if (channel !== null) tell(event, channel);
    else
      report.lost(
        args.placeOf(key),
        `${key} is Python code, which is not carried over.`,
        KEY_HINTS[key] ?? 'Write `alerts:`.',
      );
  }
}

/** dag-factory's way of naming Slack's notifier with its arguments. */
function slackChannel(callback: unknown): string | null {
  const members = callback instanceof TypedValue ? { callback: callback.type, ...callback.members } : callback;
  if (!isMap(members) || !/slack/i.test(textOf(members.callback))) return null;
  const channel = typeof members.channel === 'string' ? members.channel.replace(/^#?/, '#') : '';
  return /^#[^\s#@]\S{0,78}$/.test(channel) ? `slack:${channel}` : null;
}

function fromEmail(args: Args, tell: (event: AlertEvent, target: string) => void, report: Report): void {
  const addresses = args.texts('email');
  const onFailure = args.take('email_on_failure') !== false;
  const onRetry = args.take('email_on_retry') !== false;
  for (const address of addresses) {
    if (!/^[^\s@:,;<>]+@[^\s@:,;<>]+$/.test(address)) {
      report.lost(
        args.placeOf('email'),
        'An address of `email` is none.',
        'Write `email:name@example.com` in `alerts`.',
      );
      continue;
    }
    if (onFailure) tell('run.failed', `email:${address}`);
    if (onRetry) tell('task.retrying', `email:${address}`);
  }
}
