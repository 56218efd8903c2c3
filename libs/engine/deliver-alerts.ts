import type { AlertSender, EngineStore, LogStore, PendingAlert, SendResult } from '#core';
import type { Observer } from './ports.ts';

const LOG_TAIL_LINES = 15;
const MAX_BACKOFF_MS = 15 * 60_000;

export interface Deliverer {
  readonly store: EngineStore;
  /** Null: there is no such kind of channel. May reject, for instance when a token cannot be read: it is tried again. */
  readonly senderFor: (environment: string, kind: string) => Promise<AlertSender | null>;
  readonly logsFor: (environment: string) => LogStore;
  readonly observer: Observer;
}

/**
 * Sends what is due in the outbox; returns how many were taken. At least once: an alert is marked in doubt before it is
 * sent, so after a crash in between the sender looks for it before it repeats it.
 */
export async function deliverAlerts(deliverer: Deliverer, limit = 20): Promise<number> {
  const due = await deliverer.store.takeAlerts(limit);
  // Side by side: a channel that hangs must not delay the others.
  await Promise.all(due.map((alert) => deliver(deliverer, alert)));
  return due.length;
}

async function deliver({ store, senderFor, logsFor, observer }: Deliverer, alert: PendingAlert): Promise<void> {
  const result = await send(senderFor, logsFor, alert).catch(failed);
  switch (result.kind) {
    case 'sent':
      observer.event('alert-sent', { target: alert.target, event: alert.message.event });
      return store.recordAlert(alert.id, {
        state: 'sent',
        thread: result.thread,
        detail: result.detail,
        retryInMs: null,
      });
    case 'rejected':
      observer.event('alert-rejected', { target: alert.target, error: result.error });
      return store.recordAlert(alert.id, { state: 'rejected', thread: null, detail: result.error, retryInMs: null });
    case 'retry': {
      observer.event('alert-retried', { target: alert.target, error: result.error });
      const retryInMs = result.afterMs ?? Math.min(1000 * 2 ** Math.min(alert.tries, 10), MAX_BACKOFF_MS);
      return store.recordAlert(alert.id, { state: 'pending', thread: null, detail: result.error, retryInMs });
    }
  }
}

async function send(
  senderFor: Deliverer['senderFor'],
  logsFor: Deliverer['logsFor'],
  alert: PendingAlert,
): Promise<SendResult> {
  const [kind = '', ...rest] = alert.target.split(':');
  const sender = await senderFor(alert.environment, kind);
  if (!sender)
    return {
      kind: 'rejected',
      error: `no sender for "${kind}"; targets look like slack:#channel or email:a@b.example`,
    };
  const id = `sluice-alert-${alert.id}`;
  const tail = await logTail(logsFor, alert);
  return sender.send(rest.join(':'), { ...alert.message, id, logTail: tail }, alert.thread, alert.inDoubt);
}

function failed(error: unknown): SendResult {
  return { kind: 'retry', afterMs: null, error: (error as Error).message };
}

/** The last lines of the failed attempt's log; an unreadable log must not keep the alert back. */
async function logTail(logsFor: Deliverer['logsFor'], alert: PendingAlert): Promise<string[]> {
  const { log, runId } = alert.message;
  if (!log) return [];
  const key = { runId, ...log };
  try {
    const logs = logsFor(alert.environment);
    let page = await logs.read(key, { fromLine: 1, limit: 5000 });
    let lines = page.lines;
    while (page.lines.length > 0 && !page.complete) {
      page = await logs.read(key, { fromLine: page.nextLine, limit: 5000 });
      lines = [...lines.slice(-LOG_TAIL_LINES), ...page.lines];
    }
    // ANSI codes are for terminals.
    return lines.slice(-LOG_TAIL_LINES).map((line) => line.text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, ''));
  } catch {
    return [];
  }
}
