import type { AddressInfo } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { Arrivals } from './arrivals.ts';
import { FaultQueue } from './fault-queue.ts';

export interface ReceivedMail {
  readonly from: string;
  /** Envelope recipients. */
  readonly to: readonly string[];
  readonly parsed: ParsedMail;
  /** The message as it came over the wire. */
  readonly raw: string;
}

/** Where in the conversation a mail is refused. */
export type SmtpPoint = 'connect' | 'mail' | 'rcpt' | 'data';

export type SmtpFault =
  /** The server's answer, e.g. 550 or 451. */
  | { readonly kind: 'reject'; readonly code: number; readonly text?: string }
  /** Takes the mail (after DATA) and cuts the connection instead of answering. */
  | { readonly kind: 'lose_answer' }
  /** Never answers. */
  | { readonly kind: 'hang' };

export interface SmtpTestServer {
  /** `smtp://127.0.0.1:PORT`. */
  readonly url: string;
  /** Accepted mails in order. */
  readonly mails: readonly ReceivedMail[];
  fail(point: SmtpPoint, fault: SmtpFault, times?: number): void;
  heal(): void;
  waitForMails(count: number, timeoutMs?: number): Promise<readonly ReceivedMail[]>;
  /** Stops listening, so that connections are refused; `listen` takes the same port again. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
  close(): Promise<void>;
}

export interface SmtpServerOptions {
  /** When given, mail is taken only after logging in with these. */
  readonly login?: { readonly user: string; readonly password: string };
  /** 0 (default) takes a free one. */
  readonly port?: number;
}

/** A real SMTP server on the loopback address that parses and records every mail. */
export async function startSmtpServer(options: SmtpServerOptions = {}): Promise<SmtpTestServer> {
  const mails = new Arrivals<ReceivedMail>();
  const faults = new FaultQueue<SmtpFault>();
  let server: SMTPServer | null = null;
  let port = options.port ?? 0;

  async function listen(): Promise<void> {
    const next = createServer(mails, faults, options.login ?? null);
    // Clients that vanish are part of the tests.
    next.on('error', () => undefined);
    await new Promise<void>((resolve, reject) => {
      next.server.once('error', reject);
      next.listen(port, '127.0.0.1', () => resolve());
    });
    port = (next.server.address() as AddressInfo).port;
    server = next;
  }
  async function refuse(): Promise<void> {
    const old = server;
    server = null;
    if (old !== null) await new Promise<void>((resolve) => old.close(() => resolve()));
  }
  await listen();
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails: mails.all,
    fail: (point, fault, times = 1) => faults.add(point, fault, times),
    heal: () => faults.clear(),
    waitForMails: (count, timeoutMs) => mails.until((all) => all.length >= count, timeoutMs),
    refuse,
    listen,
    close: refuse,
  };
}

function createServer(
  mails: Arrivals<ReceivedMail>,
  faults: FaultQueue<SmtpFault>,
  login: SmtpServerOptions['login'] | null,
): SMTPServer {
  /** Answers with the point's fault if there is one; false when the server should go on. */
  function meetFault(point: SmtpPoint, callback: (error?: Error | null) => void): boolean {
    const fault = faults.take(point);
    if (fault?.kind === 'reject') callback(answer(fault.code, fault.text ?? 'refused by the test'));
    return fault !== null;
  }
  const server: SMTPServer = new SMTPServer({
    authOptional: login === null,
    disabledCommands: login === null ? ['STARTTLS', 'AUTH'] : ['STARTTLS'],
    allowInsecureAuth: true,
    closeTimeout: 50,
    disableReverseLookup: true,
    logger: false,
    onConnect: (_session, callback) => void (meetFault('connect', callback) || callback()),
    onMailFrom: (_address, _session, callback) => void (meetFault('mail', callback) || callback()),
    onRcptTo: (_address, _session, callback) => void (meetFault('rcpt', callback) || callback()),
    onAuth: ({ username, password }, _session, callback) => {
      if (username === login?.user && password === login?.password) callback(null, { user: username });
      else callback(answer(535, 'authentication failed'));
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const fault = faults.take('data');
        if (fault?.kind === 'reject') return callback(answer(fault.code, fault.text ?? 'refused by the test'));
        if (fault?.kind === 'hang') return;
        const { mailFrom, rcptTo } = session.envelope;
        const raw = Buffer.concat(chunks);
        void simpleParser(raw).then((parsed) => {
          const from = mailFrom === false ? '' : mailFrom.address;
          mails.add({ from, to: rcptTo.map(({ address }) => address), parsed, raw: raw.toString('utf8') });
          if (fault?.kind !== 'lose_answer') return callback(null, 'taken');
          for (const connection of server.connections) connection.close();
        });
      });
    },
  });
  return server;
}

function answer(code: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode: code });
}
