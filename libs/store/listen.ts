import pg from 'pg';
import { KEEP_ALIVE } from './database.ts';

export interface Listening {
  close(): Promise<void>;
}

const AGAIN_MS = 1000;

/**
 * Calls back for each notification on a channel. A hint and nothing more: what comes while the connection is broken is
 * missed, so whoever listens looks by itself as well. Connects anew once a second until it is closed.
 */
export function listen(url: string, channel: 'sluice_news' | 'sluice_inbox', heard: () => void): Listening {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      application_name: 'sluice-listen',
      connectionTimeoutMillis: 10_000,
      ...KEEP_ALIVE,
    });
    client = next;
    const lost = (): void => {
      if (client !== next || closed) return;
      client = null;
      timer = setTimeout(() => void connect(), AGAIN_MS);
      void next.end().catch(() => undefined); // broken already
    };
    next.on('error', lost).on('end', lost).on('notification', heard);
    try {
      await next.connect();
      await next.query(`listen ${channel}`);
      // What was said before we listened.
      heard();
    } catch {
      lost();
    }
  };
  void connect();
  return {
    close: async () => {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await client?.end().catch(() => undefined); // it may never have been there
    },
  };
}
