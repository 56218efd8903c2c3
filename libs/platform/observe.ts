import type { ObservedEvent, Observer } from '#engine';
import type { Log } from './log.ts';
import type { SystemMetrics } from './system-metrics.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Told at `info` or `warn`; everything else is for `debug`. */
const LEVELS: Readonly<Partial<Record<ObservedEvent, 'info' | 'warn'>>> = {
  'leases-lost': 'warn',
  'attempts-lost': 'warn',
  'alert-rejected': 'warn',
  'run-ended': 'info',
  'release-followed': 'info',
  'runs-archived': 'info',
  'runs-created': 'info',
};

/** The only place that turns what the engine reports into log lines and figures. */
export function observe(log: Log, metrics: SystemMetrics, onCommit: () => void): Observer {
  return {
    event: (name, fields) => {
      count(metrics, name, fields);
      if (name === 'batch-applied' || name === 'runs-created' || name === 'runs-activated') onCommit();
      log[LEVELS[name] ?? 'debug'](fields, name.replaceAll('-', ' '));
    },
    problem: (what, error, fields) => {
      metrics.problem();
      log.error({ err: error, ...fields }, `${what} failed; it will be tried again`);
    },
  };
}

function count(metrics: SystemMetrics, name: ObservedEvent, fields: Fields): void {
  switch (name) {
    case 'run-ended':
      return metrics.runFinished(fields as Parameters<SystemMetrics['runFinished']>[0]);
    case 'task-run-ended':
      return metrics.taskRunFinished(fields as Parameters<SystemMetrics['taskRunFinished']>[0]);
    case 'attempt-ended':
      return metrics.attemptFinished(fields as Parameters<SystemMetrics['attemptFinished']>[0]);
    case 'batch-applied':
      return metrics.committed(fields.durationMs as number);
    case 'alert-sent':
      return metrics.alertTried(kindOf(fields), 'sent');
    case 'alert-retried':
      return metrics.alertTried(kindOf(fields), 'retry');
    case 'alert-rejected':
      return metrics.alertTried(kindOf(fields), 'rejected');
    case 'runs-activated':
    case 'runs-claimed':
    case 'runs-created':
    case 'attempts-dispatched':
    case 'attempts-lost':
    case 'leases-lost':
    case 'release-followed':
    case 'runs-archived':
      return;
  }
}

/** `slack:#data` → `slack`. */
function kindOf(fields: Fields): string {
  return String(fields.target).split(':', 1)[0] ?? '';
}
