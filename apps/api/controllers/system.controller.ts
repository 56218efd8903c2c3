import { Controller, Get, Header, Inject } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import { type Caller } from '#core';
import { systemStatus, type SystemStatus } from '#contracts';
import type { SystemMetrics } from '#platform';
import { WhoAsks } from '../actor.ts';
import { Answers } from '../answers.ts';
import { Needs, viewableBy } from '../needs.ts';
import type { Reads } from '../ports.ts';
import { METRICS, READS } from '../tokens.ts';

@ApiTags('system')
@Controller()
export class SystemController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(METRICS) private readonly metrics: SystemMetrics,
  ) {}

  @Get('api/v1/system')
  @Needs('view', 'any')
  @Answers(200, 'Pools, executor, scheduler lag.', systemStatus)
  getSystem(@WhoAsks() caller: Caller): Promise<SystemStatus> {
    return this.reads.system(viewableBy(caller));
  }

  @Needs('view', 'all')
  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiExcludeEndpoint()
  getSystemMetrics(): Promise<string> {
    return this.metrics.text();
  }

  /** Says that the process serves requests, nothing more: it is the one address of the API that needs no credentials. */
  @Get('healthz')
  @RouteConfig({ open: true })
  @ApiExcludeEndpoint()
  isAlive(): { ok: true } {
    return { ok: true };
  }
}
