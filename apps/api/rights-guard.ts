import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ALL_ENVIRONMENTS, mayDo, SluiceError } from '#core';
import { callerOf } from './actor.ts';
import { demand, demandSomewhere, NEED, type Declared, type EnvironmentSource } from './needs.ts';
import { environmentName, recordId } from './parameters.ts';
import type { Reads } from './ports.ts';

/** Lets nobody past who has not what the route declares with `@Needs`. Deny by default: no declaration, no answer. */
export class RightsGuard implements CanActivate {
  readonly #reflector = new Reflector();

  constructor(
    private readonly reads: Pick<Reads, 'environmentOfRun' | 'environmentOfPromotion' | 'environmentOfBackfill'>,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (request.routeOptions.config.open === true) return true;
    const declared = this.#reflector.get<Declared | undefined>(NEED, context.getHandler());
    if (declared === undefined)
      throw new SluiceError('forbidden', 'This route does not say who may use it, so nobody may.');
    const caller = callerOf(context);
    if (declared === 'credentials') return true;
    const { right, of } = declared;
    // Whoever may do it everywhere needs no look at where: what is malformed is refused later, with a better reason.
    if (mayDo(caller.rights, right, ALL_ENVIRONMENTS)) return true;
    const where = await this.#environments(of, request);
    if (where === null) demandSomewhere(caller, right);
    else for (const environment of where) demand(caller, right, environment);
    return true;
  }

  /** Null: any will do. What is missing or malformed counts as all of them. */
  async #environments(of: EnvironmentSource, request: FastifyRequest): Promise<readonly string[] | null> {
    const { params, query, body } = request as FastifyRequest<{
      Params: Record<string, unknown>;
      Querystring: Record<string, unknown>;
      Body: Record<string, unknown> | null | undefined;
    }>;
    switch (of) {
      case 'path':
        return [named(params.environment)];
      case 'query':
        return [named(query.env)];
      case 'query-or-any':
        return query.env === undefined ? null : [named(query.env)];
      case 'body':
        return [named(body?.environment)];
      case 'run':
        return [await this.#ofRun(params.run)];
      case 'backfill':
        return [await this.#ofBackfill(params.backfill)];
      case 'promotion':
        return [await this.#ofPromotion(params.promotion)];
      case 'topics':
        return typeof query.topics === 'string' ? this.#ofTopics(query.topics.split(',')) : [ALL_ENVIRONMENTS];
      case 'any':
        return null;
      case 'all':
        return [ALL_ENVIRONMENTS];
    }
  }

  async #ofRun(runId: unknown): Promise<string> {
    const id = recordId.safeParse(runId);
    return id.success ? this.reads.environmentOfRun(id.data) : ALL_ENVIRONMENTS;
  }

  async #ofBackfill(backfillId: unknown): Promise<string> {
    const id = recordId.safeParse(backfillId);
    return id.success ? this.reads.environmentOfBackfill(id.data) : ALL_ENVIRONMENTS;
  }

  async #ofPromotion(promotionId: unknown): Promise<string> {
    const id = recordId.safeParse(promotionId);
    return id.success ? this.reads.environmentOfPromotion(id.data) : ALL_ENVIRONMENTS;
  }

  async #ofTopics(topics: readonly string[]): Promise<string[]> {
    if (topics.length > 50) return [ALL_ENVIRONMENTS];
    return Promise.all(
      topics.map(async (topic) => {
        const [, kind, value] = /^(env|board|run):(.+)$/.exec(topic) ?? [];
        return kind === 'run' ? this.#ofRun(value) : named(value);
      }),
    );
  }
}

function named(value: unknown): string {
  const name = environmentName.safeParse(value);
  return name.success ? name.data : ALL_ENVIRONMENTS;
}
