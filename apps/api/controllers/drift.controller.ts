import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '#core';
import {
  appliedConfiguration,
  environmentDiff,
  environmentDrift,
  type AppliedConfiguration,
  type EnvironmentDiff,
  type EnvironmentDrift,
} from '#contracts';
import { WhoAsks } from '../actor.ts';
import { Answers, listOf } from '../answers.ts';
import { demand, Needs } from '../needs.ts';
import { configurationsQuery, environmentDiffQuery, environmentName } from '../parameters.ts';
import type { Reads } from '../ports.ts';
import { READS } from '../tokens.ts';

@ApiTags('environments')
@Controller('api/v1/environments/:environment')
export class DriftController {
  constructor(@Inject(READS) private readonly reads: Reads) {}

  @Get('drift')
  @Needs('view', 'path')
  @Answers(200, 'What the environment has become beside git, releases and its file.', environmentDrift)
  environmentDrift(@Param('environment', { schema: environmentName }) environment: string): Promise<EnvironmentDrift> {
    return this.reads.environmentDrift(environment);
  }

  @Get('diff')
  @Needs('view', 'path')
  @Answers(200, 'What the configuration of the environment `with` has that this one has not.', environmentDiff)
  diffEnvironments(
    @Param('environment', { schema: environmentName }) environment: string,
    @Query({ schema: environmentDiffQuery }) query: z.infer<typeof environmentDiffQuery>,
    @WhoAsks() caller: Caller,
  ): Promise<EnvironmentDiff> {
    demand(caller, 'view', query.with);
    return this.reads.environmentDiff(environment, query.with);
  }

  @Get('configurations')
  @Needs('view', 'path')
  @Answers(200, 'Configurations as they were applied, newest first.', listOf(appliedConfiguration))
  async listConfigurations(
    @Param('environment', { schema: environmentName }) environment: string,
    @Query({ schema: configurationsQuery }) { limit }: z.infer<typeof configurationsQuery>,
  ): Promise<{ items: AppliedConfiguration[] }> {
    return { items: await this.reads.configurations(environment, limit) };
  }
}
