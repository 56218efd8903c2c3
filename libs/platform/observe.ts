import type { Observer } from '#engine';
import type { Log } from './log.ts';
import type { SystemMetrics } from './system-metrics.ts';

/** The only place that turns what the engine reports into log lines and figures. */
export function observe(log: Log, metrics: SystemMetrics, onCommit: () => void): Observer {
  return {
    event: (name, fields) => {
      if (name === 'run-ended') {
        const { environment, pipeline, state, createdAt } = fields as Record<
          'environment' | 'pipeline' | 'state' | 'createdAt',
          string
        >;
        metrics.runFinished({ environment, pipeline, state, durationMs: Date.now() - Date.parse(createdAt) });
      }
      if (name === 'batch-applied' || name === 'runs-created' || name === 'runs-activated') onCommit();
      const level =
        name === 'leases-lost' || name === 'attempts-lost' || name === 'alert-rejected'
          ? 'warn'
          : name === 'run-ended' || name === 'runs-created'
            ? 'info'
            : 'debug';
      log[level](fields, name.replaceAll('-', ' '));
    },
    problem: (what, error, fields) => log.error({ err: error, ...fields }, `${what} failed; it will be tried again`),
  };
}
