import 'reflect-metadata';
import { Module, StandardSchemaValidationPipe, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { SluiceError } from '#core';
import { NestLog, type Auth, type Config, type Log, type SystemMetrics } from '#platform';
import * as controllers from './controllers/index.ts';
import { answerTo, ErrorFilter } from './error-filter.ts';
import { limitBodies } from './body-limits.ts';
import { listen } from './listen.ts';
import { documentApi } from './openapi.ts';
import type { Commands, Events, FromSlack, Reads, Tokens, WorkerCommands } from './ports.ts';
import { guardRequests } from './request-guard.ts';
import { RightsGuard } from './rights-guard.ts';
import { parseBodies } from './parse-bodies.ts';
import { setSecurityHeaders } from './security-headers.ts';
import { AUTH, COMMANDS, EVENTS, METRICS, PUBLIC_URL, READS, SLACK, TOKENS, WORKERS } from './tokens.ts';
import { openWebFiles } from './web-files.ts';

export interface ApiParts {
  readonly config: Pick<Config, 'publicUrl' | 'allowedHosts'>;
  readonly reads: Reads;
  readonly commands: Commands;
  readonly events: Events;
  readonly auth: Auth;
  readonly tokens: Tokens;
  readonly slack: FromSlack;
  readonly workers: WorkerCommands;
  readonly metrics: SystemMetrics;
  readonly log: Log;
  /** The built web view (it holds index.html); null: none. */
  readonly webFolder: string | null;
  readonly version: string;
}

export interface Api {
  /** Starts to accept connections and resolves to the port. A port that is taken is a `conflict` that names the next free one. */
  listen(host: string, port: number): Promise<number>;
  /** Ends open streams and requests, then resolves. */
  close(): Promise<void>;
  /** Every route there is, `open` ones marked. */
  readonly routes: readonly Route[];
}
export interface Route {
  readonly method: string;
  readonly url: string;
  readonly open: boolean;
}

/** Builds the HTTP side: guard, controllers, live streams, documentation, web view. Nothing listens yet. */
export async function createApi(parts: ApiParts): Promise<Api> {
  const adapter = new FastifyAdapter({
    bodyLimit: 1024 * 1024,
    requestTimeout: 30_000,
    // Streams stay open for hours: closing must not wait for them.
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (error: unknown, _request: FastifyRequest, reply: FastifyReply) => {
      const { status, body } = answerTo(error);
      void reply.status(status).send(body);
    },
  });
  const server = adapter.getInstance() as unknown as FastifyInstance;
  const listRoutes = recordRoutes(server);
  const web = await openWebFiles(parts.webFolder);
  setSecurityHeaders(server, web.inlineScripts);
  guardRequests(server, { auth: parts.auth, hosts: knownHosts(parts.config) });
  limitBodies(server);
  parseBodies(server);

  const log: LoggerService = new NestLog(parts.log);
  const app = await NestFactory.create<NestFastifyApplication>(apiModule(parts), adapter, {
    logger: log,
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ErrorFilter(parts.log));
  app.useGlobalGuards(new RightsGuard(parts.reads));
  app.useGlobalPipes(new StandardSchemaValidationPipe({ exceptionFactory: malformed }));
  documentApi(app, Object.values(controllers), parts.version);
  web.register(server);
  await app.init();
  await server.ready();
  return { listen: (host, port) => listen(app, host, port), close: () => app.close(), routes: listRoutes() };
}

function apiModule(parts: ApiParts) {
  class ApiModule {}
  Module({
    controllers: Object.values(controllers),
    providers: [
      { provide: READS, useValue: parts.reads },
      { provide: COMMANDS, useValue: parts.commands },
      { provide: EVENTS, useValue: parts.events },
      { provide: AUTH, useValue: parts.auth },
      { provide: TOKENS, useValue: parts.tokens },
      { provide: SLACK, useValue: parts.slack },
      { provide: WORKERS, useValue: parts.workers },
      { provide: METRICS, useValue: parts.metrics },
      { provide: PUBLIC_URL, useValue: parts.config.publicUrl },
    ],
  })(ApiModule);
  return ApiModule;
}

/** Every route passes `onRoute`; whether it is open is known only after the hooks of inner scopes, hence at the end. */
function recordRoutes(server: FastifyInstance): () => Route[] {
  const seen: RouteOptions[] = [];
  server.addHook('onRoute', (route) => void seen.push(route));
  return () =>
    seen.flatMap(({ method, url, config }) =>
      [method].flat().map((one) => ({ method: one, url, open: config?.open === true })),
    );
}

function knownHosts({ publicUrl, allowedHosts }: ApiParts['config']): string[] {
  return publicUrl === null ? [...allowedHosts] : [...allowedHosts, new URL(publicUrl).hostname];
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

function malformed(issues: readonly Issue[]): SluiceError {
  const told = issues.slice(0, 10).map(({ message, path = [] }) => {
    const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return where ? `${where}: ${message}` : message;
  });
  return new SluiceError('bad_request', `The request is malformed: ${told.join('; ').slice(0, 2000)}.`);
}
