import { SluiceError } from '#core';
import { hostOf, projectOf } from '#release';
import type { GitSettings } from '../git-settings.ts';

export interface CommitStatus {
  /** As it is followed. */
  readonly remote: string;
  readonly commit: string;
  readonly state: 'success' | 'failure';
  /** What the status is called there: `sluice/dev`. */
  readonly context: string;
  /** One sentence; cut where the host takes no more. */
  readonly description: string;
  /** Where a person reads on; null: nowhere. */
  readonly url: string | null;
}

/** Tells the place where a repository is kept what became of a commit. */
export interface CommitStatuses {
  /** False: nobody there to tell. Throws when the host does not take it. The same again is harmless. */
  tell(status: CommitStatus): Promise<boolean>;
}

const TIMEOUT_MS = 10_000;
const LONGEST = 140;

/** Statuses at GitHub or GitLab, of repositories of the host that the token is for; null: there is no token. */
export function createCommitStatuses({ host, token, kind, apiUrl }: GitSettings): CommitStatuses | null {
  if (host === null || token === null) return null;
  const api = apiUrl ?? (kind === 'gitlab' ? `https://${host}/api/v4` : githubApi(host));
  return {
    async tell(status) {
      const project = projectOf(status.remote);
      if (project === null || !isSameHost(status.remote, host)) return false;
      const secret = token.reveal().replace(/^[^:]*:/, '');
      const asked = kind === 'gitlab' ? gitlab(api, project, status, secret) : github(api, project, status, secret);
      const response = await fetch(asked.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'sluice', ...asked.headers },
        body: JSON.stringify(asked.body),
        // The token must not follow a redirect to somebody else.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const said = (await response.text()).slice(0, 300);
      // GitLab refuses a state that the commit has already.
      if (response.ok || (response.status === 400 && said.includes('Cannot transition status'))) return true;
      throw new SluiceError(
        'unavailable',
        `${host} did not take the status of ${status.commit.slice(0, 12)}: HTTP ${response.status}.`,
        {
          hint: 'May the token write commit statuses (GitHub: repo:status; GitLab: api)?',
          details: { said },
        },
      );
    },
  };
}

interface Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

function github(api: string, project: string, status: CommitStatus, token: string): Asked {
  return {
    url: `${api}/repos/${project.split('/').map(encodeURIComponent).join('/')}/statuses/${status.commit}`,
    headers: { accept: 'application/vnd.github+json', authorization: `Bearer ${token}` },
    body: { state: status.state, context: status.context, description: cut(status.description), ...target(status) },
  };
}

function gitlab(api: string, project: string, status: CommitStatus, token: string): Asked {
  return {
    url: `${api}/projects/${encodeURIComponent(project)}/statuses/${status.commit}`,
    headers: { 'private-token': token },
    body: {
      state: status.state === 'success' ? 'success' : 'failed',
      ...{ name: status.context, description: cut(status.description), ...target(status) },
    },
  };
}

function target({ url }: CommitStatus): { target_url?: string } {
  return url === null ? {} : { target_url: url };
}

function githubApi(host: string): string {
  return host === 'github.com' ? 'https://api.github.com' : `https://${host}/api/v3`;
}

/** ssh has a port of its own. */
function isSameHost(remote: string, host: string): boolean {
  const there = hostOf(remote);
  return there === host || (there === host.replace(/:\d+$/, '') && !/^https:/i.test(remote));
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
