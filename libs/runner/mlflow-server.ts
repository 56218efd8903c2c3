import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;

/** A tracking server for tests: the calls of MLflow's REST API that are documented, with their shapes checked. */
export interface MlflowServer {
  readonly url: string;
  readonly runs: Map<string, Json>;
  readonly models: Map<string, Json[]>;
  readonly aliases: Map<string, string>;
  /** By path below mlflow-artifacts. */
  readonly artifacts: Map<string, string>;
  readonly calls: string[];
  /** The next so many calls of runs/log-batch answer 500. */
  failures: number;
  close(): void;
}

const TOKEN = 'mlflow-token-1';
/** Field and type of each call's body, as the REST API's pages say; a `?` marks what may be left out. */
const BODIES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'experiments/create': { name: 'string' },
  'runs/search': { experiment_ids: 'array', filter: 'string', max_results: 'number' },
  'runs/create': { experiment_id: 'string', run_name: 'string', start_time: 'number', tags: 'pairs' },
  'runs/log-batch': { run_id: 'string', params: 'pairs', metrics: 'metrics' },
  'runs/update': { run_id: 'string', status: 'string', end_time: 'number' },
  'registered-models/create': { name: 'string' },
  'model-versions/create': { name: 'string', source: 'string', run_id: 'string' },
  'registered-models/alias': { name: 'string', alias: 'string', version: 'string' },
};

export async function anMlflowServer(): Promise<MlflowServer> {
  const experiments = new Map<string, string>();
  const state = {
    runs: new Map<string, Json>(),
    models: new Map<string, Json[]>(),
    aliases: new Map<string, string>(),
    artifacts: new Map<string, string>(),
    calls: [] as string[],
    failures: 0,
  };
  const refuse = (code: string, message: string): [number, Json] => [
    code === 'RESOURCE_DOES_NOT_EXIST' ? 404 : 400,
    { error_code: code, message },
  ];
  const answers: Record<string, (body: Json) => [number, Json]> = {
    'experiments/get-by-name': ({ experiment_name: name }) => {
      const found = experiments.get(String(name));
      return found === undefined
        ? refuse('RESOURCE_DOES_NOT_EXIST', `Could not find experiment with name '${String(name)}'`)
        : [200, { experiment: { experiment_id: found, name } }];
    },
    'experiments/create': ({ name }) => {
      experiments.set(String(name), String(experiments.size + 1));
      return [200, { experiment_id: experiments.get(String(name)) }];
    },
    'runs/search': ({ filter }) => {
      const [, key, value] = /^tags\.`([^`]+)` = '([^']*)'$/.exec(String(filter)) ?? [];
      const runs = [...state.runs.values()].filter(({ tags }) => (tags as Json)[key ?? ''] === value);
      return [200, runs.length === 0 ? {} : { runs }];
    },
    'runs/create': ({ experiment_id: experiment, run_name: name, tags }) => {
      const run_id = `r${state.runs.size + 1}`;
      const info = {
        run_id,
        status: 'RUNNING',
        artifact_uri: `mlflow-artifacts:/${String(experiment)}/${run_id}/artifacts`,
      };
      const run = { info, name, tags: unpaired(tags), params: {}, metrics: {} };
      state.runs.set(run_id, run);
      return [200, { run }];
    },
    'runs/log-batch': ({ run_id: id, params, metrics }) => {
      if (state.failures > 0) {
        state.failures -= 1;
        return [500, { error_code: 'INTERNAL_ERROR', message: 'the database is away' }];
      }
      const run = state.runs.get(String(id))!;
      Object.assign(run.params as Json, unpaired(params));
      Object.assign(run.metrics as Json, unpaired(metrics));
      return [200, {}];
    },
    'runs/update': ({ run_id: id, status }) => {
      (state.runs.get(String(id))!.info as Json).status = status;
      return [200, { run_info: {} }];
    },
    'registered-models/create': ({ name }) => {
      if (state.models.has(String(name)))
        return refuse('RESOURCE_ALREADY_EXISTS', `Registered Model (name=${String(name)}) already exists.`);
      state.models.set(String(name), []);
      return [200, { registered_model: { name } }];
    },
    'model-versions/create': (body) => {
      const versions = state.models.get(String(body.name))!;
      versions.push(body);
      return [200, { model_version: { name: body.name, version: String(versions.length) } }];
    },
    'registered-models/alias': ({ name, alias, version }) => {
      state.aliases.set(`${String(name)}@${String(alias)}`, String(version));
      return [200, {}];
    },
  };
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://x');
      const text = Buffer.concat(parts).toString();
      const [, call] = /^\/api\/2\.0\/mlflow\/(.+)$/.exec(url.pathname) ?? [];
      const [, artifact] = /^\/api\/2\.0\/mlflow-artifacts\/artifacts\/(.+)$/.exec(url.pathname) ?? [];
      const send = ([status, body]: [number, Json]): void =>
        void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (request.headers.authorization !== `Bearer ${TOKEN}`) return send([401, {}]);
      if (artifact !== undefined && request.method === 'PUT') {
        state.artifacts.set(decodeURIComponent(artifact), text);
        return send([200, {}]);
      }
      const method = call === 'experiments/get-by-name' ? 'GET' : 'POST';
      if (call === undefined || answers[call] === undefined || request.method !== method)
        return send(refuse('ENDPOINT_NOT_FOUND', `${request.method ?? ''} ${url.pathname}`));
      state.calls.push(call);
      const body = method === 'GET' ? Object.fromEntries(url.searchParams) : (JSON.parse(text) as Json);
      const wrong = faultOf(BODIES[call] ?? {}, body);
      send(wrong === null ? answers[call]!(body) : refuse('INVALID_PARAMETER_VALUE', wrong));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, {
    url,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
}

function faultOf(shape: Readonly<Record<string, string>>, body: Json): string | null {
  for (const key of Object.keys(body)) if (!(key in shape) && key !== 'experiment_name') return `unknown field ${key}`;
  for (const [key, type] of Object.entries(shape)) {
    const value = body[key];
    const list = Array.isArray(value) ? (value as Json[]) : null;
    const fits =
      type === 'pairs'
        ? list?.every((item) => typeof item.key === 'string' && typeof item.value === 'string')
        : type === 'metrics'
          ? list?.every(
              ({ key: name, value: number, timestamp, step }) =>
                typeof name === 'string' && [number, timestamp, step].every((item) => typeof item === 'number'),
            )
          : type === 'array'
            ? list !== null
            : typeof value === type;
    if (fits !== true) return `${key} is no ${type}`;
  }
  return null;
}

function unpaired(list: unknown): Json {
  return Object.fromEntries((list as { key: string; value: unknown }[]).map(({ key, value }) => [key, value]));
}
