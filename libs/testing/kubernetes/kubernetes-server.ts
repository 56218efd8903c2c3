import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { V1PodStatus } from '@kubernetes/client-node';
import { Arrivals } from '../arrivals.ts';
import { FaultQueue } from '../fault-queue.ts';
import { checkAs, checkObject } from './check-object.ts';
import { killContainer, runContainer, type PodPrograms, type PodProcess } from './pod-process.ts';
import { endedStatus, runningStatus } from './pod-status.ts';
import { now, PodsAndJobs, type Raw, type RawJob, type RawPod, type WatchEvent } from './pods.ts';

export type KubernetesFault =
  | { readonly kind: 'status'; readonly status: number; readonly reason?: string; readonly message?: string }
  /** Does the work and cuts the connection instead of answering. */
  | { readonly kind: 'lose_answer' };

export interface KubernetesServerOptions {
  readonly namespace?: string;
  readonly token?: string;
  /** With it commands of pods are run as processes here; without, pods wait for the test to say what becomes of them. */
  readonly run?: PodPrograms;
  /** Whether the caller may do that; what it must not is answered with 403. Everything, unless given. */
  readonly allows?: (verb: string, resource: string) => boolean;
}

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

/**
 * As much of the API of Kubernetes as jobs need, with its job controller and one node. What it is asked for is held
 * against the published schemas: what does not fit is answered with 400, and kept in `refused`.
 */
export class KubernetesServer {
  readonly calls = new Arrivals<string>();
  readonly refused: string[] = [];
  readonly faults = new FaultQueue<KubernetesFault>();
  readonly world: PodsAndJobs;
  readonly processes = new Map<string, PodProcess>();
  url = '';
  private readonly watches = new Map<ServerResponse, () => void>();
  private isAway = false;

  private constructor(
    private readonly options: Required<Pick<KubernetesServerOptions, 'namespace' | 'token'>> & KubernetesServerOptions,
  ) {
    this.world = new PodsAndJobs(options.namespace);
  }

  static async start(options: KubernetesServerOptions = {}): Promise<KubernetesServer> {
    const server = new KubernetesServer({ namespace: 'sluice', token: 'token-of-the-scheduler', ...options });
    await new Promise<void>((resolve) => server.http.listen(0, '127.0.0.1', resolve));
    server.url = `http://127.0.0.1:${(server.http.address() as AddressInfo).port}`;
    return server;
  }

  private readonly http = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => this.#serve(request, response, body));
  });

  /** The text of a kubeconfig that leads here; the client speaks plain HTTP only where it need not verify. */
  kubeconfig(): string {
    return JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
      clusters: [{ name: 'test', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user: { token: this.options.token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: this.options.namespace } }],
    });
  }

  /** Each connection is cut until `comesBack`. */
  goesAway(): void {
    this.isAway = true;
    this.http.closeAllConnections();
  }

  comesBack(): void {
    this.isAway = false;
  }

  /** Watches are over, in the middle of a line when `cut`. */
  breakWatches(cut: boolean): void {
    for (const [response, forget] of this.watches) {
      forget();
      if (cut) {
        response.write('{"type":"MODI');
        response.destroy();
      } else response.end();
    }
  }

  /** What happened until now is known to no watch any more. */
  forgetHistory(): void {
    this.world.oldest = this.world.version;
  }

  /** The pod of a job as it is now. */
  pod(job: string): RawPod {
    const pod = this.world.podOf(job);
    if (pod === undefined) throw new Error(`job ${job} has no pod`);
    return pod;
  }

  setStatus(job: string, status: Raw<V1PodStatus>): void {
    this.world.setStatus(this.pod(job).metadata!.name!, status);
  }

  /** Its container is killed at once, and the pod says `status`. */
  async kill(job: string, status: Raw<V1PodStatus>): Promise<void> {
    const name = this.pod(job).metadata!.name!;
    const running = this.processes.get(name);
    this.processes.delete(name);
    if (running !== undefined) killContainer(running);
    await running?.ended;
    this.world.setStatus(name, status);
  }

  /** As `kubectl delete pod --grace-period=0 --force` and a node that is gone do. */
  async loseNode(job: string): Promise<void> {
    const name = this.pod(job).metadata!.name!;
    const running = this.processes.get(name);
    this.processes.delete(name);
    if (running !== undefined) killContainer(running);
    await running?.ended;
    this.world.removePod(name);
  }

  async close(): Promise<void> {
    for (const running of this.processes.values()) killContainer(running);
    await Promise.all([...this.processes.values()].map(({ ended }) => ended));
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse, body: string): void {
    if (this.isAway) return void response.destroy();
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const call = `${request.method} ${pathname}`;
    const fault = this.faults.take(call);
    const answer =
      fault?.kind === 'status'
        ? failure(fault.status, fault.reason ?? 'InternalError', fault.message ?? 'it is told to fail')
        : this.#answer(request, pathname, searchParams, body, response);
    this.calls.add(call);
    if (fault?.kind === 'lose_answer') return void response.destroy();
    if (answer === null) return;
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.json));
  }

  #answer(
    { method = '', headers }: IncomingMessage,
    path: string,
    query: URLSearchParams,
    body: string,
    response: ServerResponse,
  ): Answer | null {
    const { namespace, token, allows } = this.options;
    if (headers.authorization !== `Bearer ${token}`) return failure(401, 'Unauthorized', 'Unauthorized');
    const [, resource = '', name = ''] =
      new RegExp(`^(?:/apis/batch/v1|/api/v1)/namespaces/${namespace}/(jobs|pods)(?:/([^/]+))?$`).exec(path) ?? [];
    const verb = verbOf(method, name, query);
    if (resource === '') return failure(404, 'NotFound', `the server could not find ${path}`);
    if (allows !== undefined && !allows(verb, resource))
      return failure(403, 'Forbidden', `${resource} is forbidden: cannot ${verb} resource "${resource}"`);
    const act = `${verb} ${resource}`;
    if (act === 'create jobs') return this.#createJob(JSON.parse(body) as RawJob);
    if (act === 'get jobs') return this.#found(this.world.jobs.get(name), 'jobs', name);
    if (act === 'delete jobs') return this.#deleteJob(name, query, body);
    if (act === 'list jobs')
      return list('JobList', 'batch/v1', matching(this.world.jobs.values(), query), this.world.version);
    if (act === 'list pods')
      return list('PodList', 'v1', matching(this.world.pods.values(), query), this.world.version);
    if (act === 'watch pods') return this.#watch(query, response);
    return failure(405, 'MethodNotAllowed', `${method} is not supported here`);
  }

  #createJob(job: RawJob): Answer {
    const problems = checkObject(job);
    if (problems.length > 0) {
      this.refused.push(...problems);
      return failure(400, 'BadRequest', problems.join('; '));
    }
    const name = job.metadata?.name ?? '';
    if (this.world.jobs.has(name)) return failure(409, 'AlreadyExists', `jobs.batch "${name}" already exists`);
    const made = this.world.addJob(job);
    if (this.options.run !== undefined) this.#run(made.pod, this.options.run);
    return { status: 201, json: made.job };
  }

  /** With its pod first, as the foreground does it. */
  #deleteJob(name: string, query: URLSearchParams, body: string): Answer {
    const options = body === '' ? null : (JSON.parse(body) as unknown);
    if (options !== null) this.refused.push(...checkAs('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions', options));
    const job = this.world.jobs.get(name);
    if (job === undefined) return failure(404, 'NotFound', `jobs.batch "${name}" not found`);
    if (query.get('propagationPolicy') !== 'Foreground') this.refused.push(`job ${name} is deleted without its pod`);
    this.world.jobs.set(name, { ...job, metadata: { ...job.metadata, deletionTimestamp: now() } });
    const pod = this.world.podOf(name);
    const podName = pod?.metadata?.name ?? '';
    const running = this.processes.get(podName);
    running?.child.kill('SIGTERM');
    void Promise.resolve(running?.ended).then(() => {
      this.world.removePod(podName);
      this.world.removeJob(name);
    });
    return { status: 200, json: job };
  }

  #run(pod: RawPod, programs: PodPrograms): void {
    const name = pod.metadata!.name!;
    const running = runContainer(name, pod.spec!.containers[0]! as Parameters<typeof runContainer>[1], programs);
    this.processes.set(name, running);
    this.world.setStatus(name, runningStatus(pod));
    void running.ended.then(({ code, signal }) => {
      // Killed by the test, which says what the pod is then.
      if (!this.processes.delete(name) || !this.world.pods.has(name)) return;
      const exitCode = code ?? (signal === 'SIGKILL' ? 137 : 143);
      this.world.setStatus(name, endedStatus(pod, exitCode, exitCode === 0 ? undefined : running.text().slice(-2000)));
    });
  }

  #watch(query: URLSearchParams, response: ServerResponse): null {
    const from = Number(query.get('resourceVersion'));
    response.writeHead(200, { 'content-type': 'application/json' });
    const write = ({ type, object }: Pick<WatchEvent, 'type' | 'object'>): void => {
      if (type === 'ERROR' || matching([object as RawPod], query).length === 1)
        response.write(`${JSON.stringify({ type, object })}\n`);
    };
    if (from < this.world.oldest) {
      write({ type: 'ERROR', object: failure(410, 'Expired', `too old resource version: ${from}`).json });
      response.end();
      return null;
    }
    for (const event of this.world.history) if (event.version > from) write(event);
    response.flushHeaders();
    this.world.listeners.add(write);
    const forget = (): void => {
      this.world.listeners.delete(write);
      this.watches.delete(response);
    };
    this.watches.set(response, forget);
    response.on('close', forget);
    return null;
  }

  #found(object: unknown, resource: string, name: string): Answer {
    return object === undefined
      ? failure(404, 'NotFound', `${resource} "${name}" not found`)
      : { status: 200, json: object };
  }
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  if (method === 'POST') return 'create';
  if (method === 'DELETE') return name === '' ? 'deletecollection' : 'delete';
  if (method !== 'GET') return method.toLowerCase();
  return query.get('watch') === 'true' ? 'watch' : name === '' ? 'list' : 'get';
}

function matching<T extends RawPod | RawJob>(objects: Iterable<T>, query: URLSearchParams): T[] {
  const wanted = (query.get('labelSelector') ?? '')
    .split(',')
    .filter(Boolean)
    .map((term) => term.split('='));
  return [...objects].filter(({ metadata }) =>
    wanted.every(([name = '', value]) => metadata?.labels?.[name] === value),
  );
}

function list(kind: string, apiVersion: string, items: readonly unknown[], version: number): Answer {
  return { status: 200, json: { kind, apiVersion, metadata: { resourceVersion: String(version) }, items } };
}

function failure(code: number, reason: string, message: string): Answer {
  const json = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, message, code };
  return { status: code, json };
}
