import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { mayDo, type Caller } from '#core';
import { environment, type Environment } from '#contracts';
import { WhoAsks } from '../actor.ts';
import { Answers, listOf } from '../answers.ts';
import { Needs } from '../needs.ts';
import type { Reads } from '../ports.ts';
import { READS } from '../tokens.ts';

@ApiTags('environments')
@Controller('api/v1/environments')
export class EnvironmentsController {
  constructor(@Inject(READS) private readonly reads: Reads) {}

  @Get()
  @Needs('view', 'any')
  @Answers(200, 'The environments that may be viewed, and what they run.', listOf(environment))
  async listEnvironments(@WhoAsks() { rights }: Caller): Promise<{ items: Environment[] }> {
    const environments = await this.reads.environments();
    return { items: environments.filter(({ name }) => mayDo(rights, 'view', name)) };
  }
}
