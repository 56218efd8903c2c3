import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SluiceError, type Resources } from '#core';
import { readGitSettings, type GitSettings } from './git-settings.ts';
import { readJenkinsSettings, type JenkinsSettings } from './jenkins-settings.ts';
import { readS3Config, type S3Config } from './s3-config.ts';
import { Secret } from './secret.ts';
import { secretVariable } from './secret-variable.ts';
import { readWorkerResources } from './worker-resources.ts';

export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything the processes are told from outside; frozen, absolute paths, secrets wrapped so that printing it shows none. */
export interface Config {
  /** Folder of the project: the nearest one, from the working directory upward, that holds `dags/`; else the working directory. */
  readonly project: string;
  /** SLUICE_HOME: data of the embedded default; `.sluice` in the project unless set. */
  readonly home: string;
  /** SLUICE_HOST: address to listen on; 127.0.0.1 unless set. */
  readonly host: string;
  /** SLUICE_PORT: 7460 unless set; 0 lets the system choose. */
  readonly port: number;
  /** DATABASE_URL: null means the embedded Postgres. */
  readonly databaseUrl: Secret | null;
  /** REDIS_URL: attempts are executed by workers that hear of them there; null: by the scheduler itself. May hold a password. */
  readonly redisUrl: Secret | null;
  /** SLUICE_KUBERNETES: absolute path of the file that makes attempts jobs of Kubernetes; null: they are none. */
  readonly kubernetes: string | null;
  /** KUBECONFIG: how Kubernetes is reached; null: as the pod that this process runs in. */
  readonly kubeconfig: string | null;
  /** SLUICE_URL: the API that a worker belongs to, without a slash at the end. */
  readonly serverUrl: string | null;
  /** SLUICE_WORKER_QUEUES: patterns `environment.pool` of the queues that a worker serves; all unless set. */
  readonly workerQueues: readonly string[];
  /** SLUICE_DRAIN_SECONDS: how long a worker that is stopped lets running attempts go on; 25 unless set. */
  readonly drainMs: number;
  /** SLUICE_CONCURRENCY: attempts this process executes at once; twice the processors (at least 4) unless set. */
  readonly concurrency: number;
  /** SLUICE_WORKER_CPU, …_MEMORY, …_GPU: what its attempts together may take; the machine's processors and memory, and no GPU, unless set. */
  readonly workerResources: Required<Resources>;
  /** SLUICE_LOG_LEVEL: `info` unless set. */
  readonly logLevel: LogLevel;
  /** SLUICE_TOKEN: null means the generated one in `server.json`. */
  readonly token: Secret | null;
  /** PATH: where tasks find their programs, so that those of a venv or pyenv are found; null: the system's folders. */
  readonly path: string | null;
  /** SLUICE_PYTHON: interpreter for `python:` tasks; null: `python3` of the path. */
  readonly python: string | null;
  /** SLUICE_SPARK_SUBMIT: what `spark:` tasks are submitted with; null: `spark-submit` of the path. */
  readonly sparkSubmit: string | null;
  /** SLUICE_PUBLIC_URL: how people reach the web view, without a slash at the end; null: host and port. */
  readonly publicUrl: string | null;
  /** SLUICE_ALLOWED_HOSTS: more names that the Host header may carry, lower case. */
  readonly allowedHosts: readonly string[];
  /** SLACK_BOT_TOKEN. */
  readonly slackToken: Secret | null;
  /** SLUICE_SLACK_SIGNING_SECRET, or the content of the file SLUICE_SLACK_SIGNING_SECRET_FILE: proves that a click in Slack is genuine. */
  readonly slackSigningSecret: Secret | null;
  /** SLACK_API_URL: another server that speaks Slack's API; null: Slack's. */
  readonly slackApiUrl: string | null;
  /** SMTP_URL: `smtp://…` or `smtps://…`, may hold a password. */
  readonly smtpUrl: Secret | null;
  /** SLUICE_MAIL_FROM: sender of alert mails. */
  readonly mailFrom: string | null;
  /** SLUICE_RELEASES: `s3://bucket/prefix` of the release store; null: `releases` in the home folder. */
  readonly releases: string | null;
  /** SLUICE_S3_… and AWS_…. */
  readonly s3: S3Config;
  /** SLUICE_GIT_… and SLUICE_WEBHOOK_SECRET. */
  readonly git: GitSettings;
  /** SLUICE_JENKINS_URL, …_USER and …_TOKEN; null: no build waits for a promotion. */
  readonly jenkins: JenkinsSettings | null;
  /** SLUICE_DEBUG_KILL: point at which the process kills itself (`debug-points.ts`); only for tests, refused outside of them. */
  readonly debugKill: string | null;
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the process's variables once. Empty values count as absent.
 * Throws `invalid_config` naming every variable that is wrong; the values of secrets never appear in it.
 */
export function loadConfig(variables: Variables = process.env, workingDirectory: string = process.cwd()): Config {
  const problems: string[] = [];
  const read = reader(variables, problems);
  const project = findProject(workingDirectory);
  const config: Config = {
    project,
    home: resolve(project, read.text('SLUICE_HOME') ?? '.sluice'),
    host:
      read.matching('SLUICE_HOST', /^[A-Za-z0-9.:_-]+$/, 'an address or a host name, such as 127.0.0.1') ?? '127.0.0.1',
    port: read.integer('SLUICE_PORT', 0, 65_535) ?? 7460,
    databaseUrl: read.secretUrl('DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: read.secretUrl('REDIS_URL', ['redis:', 'rediss:']),
    kubernetes: read.file('SLUICE_KUBERNETES', project),
    kubeconfig: read.file('KUBECONFIG', project),
    serverUrl: read.url('SLUICE_URL', ['http:', 'https:'])?.replace(/\/+$/, '') ?? null,
    workerQueues: Object.freeze(read.queues('SLUICE_WORKER_QUEUES')),
    drainMs: (read.integer('SLUICE_DRAIN_SECONDS', 0, 86_400) ?? 25) * 1000,
    concurrency: read.integer('SLUICE_CONCURRENCY', 1, 1024) ?? Math.max(4, availableParallelism() * 2),
    workerResources: readWorkerResources(read),
    logLevel: read.oneOf('SLUICE_LOG_LEVEL', LOG_LEVELS) ?? 'info',
    token: read.secret('SLUICE_TOKEN', /^[\x21-\x7e]{16,512}$/, '16 to 512 printable characters without spaces'),
    path: read.text('PATH'),
    python: read.text('SLUICE_PYTHON'),
    sparkSubmit: read.text('SLUICE_SPARK_SUBMIT'),
    publicUrl: read.url('SLUICE_PUBLIC_URL', ['http:', 'https:'])?.replace(/\/+$/, '') ?? null,
    allowedHosts: Object.freeze(read.hosts('SLUICE_ALLOWED_HOSTS')),
    slackToken: read.secret('SLACK_BOT_TOKEN', /^[\x21-\x7e]+$/, 'printable characters without spaces'),
    // Long enough that nobody guesses it: the address is open to everybody.
    slackSigningSecret: secretVariable(read, 'SLUICE_SLACK_SIGNING_SECRET', 16),
    slackApiUrl: read.url('SLACK_API_URL', ['http:', 'https:']),
    smtpUrl: read.secretUrl('SMTP_URL', ['smtp:', 'smtps:']),
    mailFrom: read.matching('SLUICE_MAIL_FROM', /^[^\r\n]*@[^\r\n]*$/, 'a mail address'),
    releases: read.matching(
      'SLUICE_RELEASES',
      /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[A-Za-z0-9_=.-]+)*$/,
      'the address of a bucket, such as s3://bucket/releases',
    ),
    s3: readS3Config(read),
    git: readGitSettings(read),
    jenkins: readJenkinsSettings(read),
    debugKill: variables.NODE_ENV === 'test' ? read.text('SLUICE_DEBUG_KILL') : read.absent('SLUICE_DEBUG_KILL'),
  };
  if (config.redisUrl !== null && config.kubernetes !== null)
    problems.push('both REDIS_URL and SLUICE_KUBERNETES are set, expected one: they say who executes attempts');
  if (problems.length > 0)
    throw new SluiceError('invalid_config', `Wrong settings in the environment: ${problems.join('; ')}.`, {
      hint: 'Correct or unset these variables and start again.',
      details: { problems },
    });
  return Object.freeze(config);
}

function findProject(from: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'dags'))) return folder;
    if (dirname(folder) === folder) return resolve(from);
  }
}

/** Each method notes a problem and answers null when the value does not fit. */
function reader(variables: Variables, problems: string[]) {
  const text = (name: string): string | null => variables[name]?.trim() || null;
  const wrong = (name: string, shown: string, expected: string): null => {
    problems.push(`${name} is ${shown}, expected ${expected}`);
    return null;
  };
  const matching = (name: string, pattern: RegExp, expected: string) => {
    const value = text(name);
    return value === null || pattern.test(value) ? value : wrong(name, JSON.stringify(value), expected);
  };
  const urlFits = (value: string, protocols: readonly string[]) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol);
  return {
    text,
    absent(name: string): null {
      const value = text(name);
      return value === null ? null : wrong(name, JSON.stringify(value), 'nothing: it kills the process, for tests');
    },
    wrong,
    file(name: string, from: string): string | null {
      const value = text(name);
      return value === null ? null : resolve(from, value);
    },
    matching,
    oneOf<const T extends string>(name: string, choices: readonly T[]): T | null {
      const value = text(name);
      const found = choices.find((choice) => choice === value?.toLowerCase());
      return value === null ? null : (found ?? wrong(name, JSON.stringify(value), `one of ${choices.join(', ')}`));
    },
    integer(name: string, least: number, most: number): number | null {
      const value = text(name);
      if (value === null) return null;
      const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
      return number >= least && number <= most
        ? number
        : wrong(name, JSON.stringify(value), `a whole number from ${least} to ${most}`);
    },
    url(name: string, protocols: readonly string[]): string | null {
      const value = text(name);
      if (value === null || urlFits(value, protocols)) return value;
      return wrong(
        name,
        JSON.stringify(value),
        `a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`,
      );
    },
    secret(name: string, pattern: RegExp, expected: string): Secret | null {
      const value = text(name);
      if (value === null) return null;
      return pattern.test(value) ? new Secret(value) : wrong(name, 'malformed (not shown)', expected);
    },
    secretUrl(name: string, protocols: readonly string[]): Secret | null {
      const value = text(name);
      if (value === null) return null;
      return urlFits(value, protocols)
        ? new Secret(value)
        : wrong(name, 'malformed (not shown)', `a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`);
    },
    queues(name: string): string[] {
      const patterns = (text(name) ?? '*').split(/[\s,]+/).filter(Boolean);
      for (const pattern of patterns)
        if (!/^(\*|[A-Za-z0-9_/-]+)(\.(\*|[A-Za-z0-9_-]+))?$/.test(pattern))
          wrong(name, JSON.stringify(pattern), 'environment.pool, either of them `*` for all, separated by commas');
      return patterns;
    },
    hosts(name: string): string[] {
      const hosts = (text(name) ?? '').split(/[\s,]+/).filter(Boolean);
      for (const host of hosts)
        if (!/^[A-Za-z0-9._-]+$/.test(host))
          wrong(name, JSON.stringify(host), 'host names without port, separated by commas');
      return hosts.map((host) => host.toLowerCase());
    },
  };
}
