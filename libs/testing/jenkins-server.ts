import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Arrivals } from './arrivals.ts';
import { FaultQueue } from './fault-queue.ts';

export interface JenkinsCall {
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
}

export type JenkinsFault =
  | { readonly kind: 'status'; readonly status: number; readonly location?: string }
  /** Does the work and cuts the connection instead of answering. */
  | { readonly kind: 'lose_answer' };

export interface JenkinsServer {
  /** Below a path, as many are: `http://127.0.0.1:PORT/jenkins/`. */
  readonly url: string;
  readonly user: string;
  readonly token: string;
  /** Every call in order, faults included. */
  readonly calls: readonly JenkinsCall[];
  /** A build that is under way; its address. `input`: where it waits, as the Jenkinsfile names it. */
  build(path: string, input?: string): string;
  /** It comes to an input. */
  waitAt(build: string, input: string): void;
  /** It ends. */
  end(build: string, result: string): void;
  /** Address that a build asks (`?id=`) once it waits, and that tells it who answered: `{ approve }` or `{ reject }`. */
  answeredAt(build: string): string;
  /** How its inputs were answered, and by whom: `Prod proceed sluice`. */
  answers(build: string): readonly string[];
  /** The next `times` (default 1) calls whose path ends so (`*`: any) meet this fault. */
  fail(end: string, fault: JenkinsFault, times?: number): void;
  close(): Promise<void>;
}

interface Build {
  readonly inputs: Set<string>;
  readonly answers: string[];
  result: string | null;
}

/** What waits for an answer in vain is cut off. */
const LONGEST_WAIT_MS = 120_000;

/** A server that speaks what Jenkins does about inputs: Basic authentication, crumbs with their session, build status. */
export async function startJenkinsServer({
  user = 'sluice',
  token = 'api-token-of-sluice',
  wantsCrumbs = true,
} = {}): Promise<JenkinsServer> {
  const builds = new Map<string, Build>();
  const calls = new Arrivals<JenkinsCall>();
  const faults = new FaultQueue<JenkinsFault>();
  let crumbs = 0;
  let url = '';
  const buildAt = (address: string): Build => {
    const found = builds.get(new URL(address, url).pathname);
    if (found === undefined) throw new Error(`there is no build ${address}`);
    return found;
  };

  const respond = (request: IncomingMessage, path: string, body: string): { status: number; json?: unknown } => {
    if (request.headers.authorization !== `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`)
      return { status: 401 };
    if (path === '/jenkins/crumbIssuer/api/json')
      return wantsCrumbs
        ? { status: 200, json: { crumb: `crumb-${++crumbs}`, crumbRequestField: 'Jenkins-Crumb' } }
        : { status: 404 };
    const [, at = '', rest = ''] = /^(.*?\/\d+\/)(.*)$/.exec(path) ?? [];
    const build = builds.get(at);
    if (build === undefined) return { status: 404 };
    if (rest === 'api/json') return { status: 200, json: { building: build.result === null, result: build.result } };
    const [, input = '', answer = ''] = /^input\/([A-Z]\w*)\/(proceed|abort)$/.exec(rest) ?? [];
    if (request.method !== 'POST') return { status: 405 };
    // A crumb holds in its own session.
    if (
      wantsCrumbs &&
      (request.headers['jenkins-crumb'] !== `crumb-${crumbs}` ||
        request.headers.cookie !== `JSESSIONID=session-${crumbs}`)
    )
      return { status: 403 };
    if (answer === 'proceed' && new URLSearchParams(body).get('json') === null) return { status: 400 };
    if (!build.inputs.delete(input)) return { status: 404 };
    build.answers.push(`${input} ${answer} ${user}`);
    if (answer === 'abort') build.result = 'ABORTED';
    return { status: 200 };
  };
  /** The build itself waits: it hears of the answer when there is one. */
  const waits = async (build: Build, input: string, response: ServerResponse): Promise<void> => {
    build.inputs.add(capital(input));
    await calls.until(() => build.answers.length > 0, LONGEST_WAIT_MS);
    const [, answer, by] = build.answers.at(-1)?.split(' ') ?? [];
    end(response, 200, answer === 'proceed' ? { approve: by } : { reject: by }, {});
  };
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://jenkins');
      const { method = '' } = request;
      if (path.endsWith('/answered'))
        return void waits(buildAt(path.slice(0, -'answered'.length)), searchParams.get('id') ?? '', response).catch(
          () => response.destroy(),
        );
      const fault = faults.take(path.split('/').at(-1) ?? '');
      if (fault?.kind === 'status') {
        calls.add({ method, path, status: fault.status });
        return end(response, fault.status, undefined, fault.location === undefined ? {} : { location: fault.location });
      }
      const { status, json } = respond(request, path, body);
      if (fault?.kind === 'lose_answer') {
        calls.add({ method, path, status: null });
        return void request.socket.destroy();
      }
      const session = path.includes('/crumbIssuer/') ? { 'set-cookie': `JSESSIONID=session-${crumbs}; Path=/` } : {};
      end(response, status, json, session);
      calls.add({ method, path, status });
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jenkins/`;
  return {
    ...{ url, user, token, calls: calls.all },
    build: (path, input) => {
      const address = new URL(path, url);
      builds.set(address.pathname, {
        inputs: new Set(input === undefined ? [] : [capital(input)]),
        answers: [],
        result: null,
      });
      return address.href;
    },
    waitAt: (build, input) => void buildAt(build).inputs.add(capital(input)),
    end: (build, result) => void (buildAt(build).result = result),
    answeredAt: (build) => `${build}answered`,
    answers: (build) => buildAt(build).answers,
    fail: (at, fault, times = 1) => faults.add(at, fault, times),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** As Jenkins does: small first letters are for its own addresses. */
function capital(id: string): string {
  return id.charAt(0).toUpperCase() + id.slice(1);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function end(response: ServerResponse, status: number, json: unknown, headers: OutgoingHttpHeaders): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(json === undefined ? '' : JSON.stringify(json));
}
