import { pino, type Logger } from 'pino';
import colors from 'picocolors';
import type { LoggerService } from '@nestjs/common';
import type { LogLevel } from './config.ts';

/** The process's log: structured, one line per entry, names of secrets blanked. */
export type Log = Logger;

export interface LogOptions {
  readonly level: LogLevel;
  /** One-liners for people instead of JSON; the default looks whether the destination is a terminal. */
  readonly pretty?: boolean;
  /** Where lines go; stderr unless given, so that stdout stays for data. */
  readonly destination?: { write(line: string): unknown; readonly isTTY?: boolean };
}

const SECRET_KEYS = ['token', 'password', 'authorization', 'cookie', 'databaseUrl', 'smtpUrl', 'slackToken'];

export function createLog(options: LogOptions): Log {
  const destination = options.destination ?? process.stderr;
  const pretty = options.pretty ?? destination.isTTY ?? false;
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '[secret]' },
    },
    { write: (line: string) => void destination.write(pretty ? prettyLine(line) : line) },
  );
}

const LEVEL_COLORS: Readonly<Record<string, (text: string) => string>> = {
  fatal: colors.red,
  error: colors.red,
  warn: colors.yellow,
  info: colors.cyan,
};

function prettyLine(line: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const paint = LEVEL_COLORS[String(level)] ?? colors.dim;
  const fields = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const stack = (err as { stack?: string; message?: string } | undefined)?.stack ?? '';
  const head = `${colors.dim(String(time).slice(11, 19))} ${paint(String(level).padEnd(5))} ${printable(String(msg ?? ''))}`;
  const tail = fields.length > 0 ? ` ${colors.dim(printable(fields.join(' ')))}` : '';
  return `${head}${tail}\n${stack && `${stack}\n`}`;
}

/** What others wrote may hold line ends and terminal codes; a log line stays one line. */
function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Nest's own messages in our log; its start-up chatter goes to `debug`. */
export class NestLog implements LoggerService {
  constructor(private readonly target: Log) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest passes (message, [stack], context). */
  private write(
    level: 'trace' | 'debug' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: readonly unknown[],
  ): void {
    const context = rest.at(-1);
    const fields = typeof context === 'string' ? { context } : {};
    if (message instanceof Error) this.target[level]({ ...fields, err: message }, message.message);
    else this.target[level](rest.length > 1 ? { ...fields, stack: rest[0] } : fields, String(message));
  }
}
