import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { environment, type Environment } from '#contracts';
import { Answers, listOf } from '../answers.ts';
import type { Reads } from '../ports.ts';
import { READS } from '../tokens.ts';

@ApiTags('environments')
@Controller('api/v1/environments')
export class EnvironmentsController {
  constructor(@Inject(READS) private readonly reads: Reads) {}

  @Get()
  @Answers(200, 'All environments and what they run.', listOf(environment))
  async listEnvironments(): Promise<{ items: Environment[] }> {
    return { items: await this.reads.environments() };
  }
}
