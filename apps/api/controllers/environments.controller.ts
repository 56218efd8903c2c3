import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { mayDo, type Caller } from '#core';
import { environment, followRequest, type Environment } from '#contracts';
import { WhoAsks } from '../actor.ts';
import { Answers, listOf } from '../answers.ts';
import { demand, Needs } from '../needs.ts';
import { environmentName } from '../parameters.ts';
import type { Commands, Reads } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('environments')
@Controller('api/v1/environments')
export class EnvironmentsController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('view', 'any')
  @Answers(200, 'The environments that may be viewed, and what they run.', listOf(environment))
  async listEnvironments(@WhoAsks() { rights }: Caller): Promise<{ items: Environment[] }> {
    const environments = await this.reads.environments();
    return { items: environments.filter(({ name }) => mayDo(rights, 'view', name)) };
  }

  @Put(':environment/follow')
  @Needs('promote', 'path')
  @Answers(200, 'Follows a branch or tag of a git repository: its commits run here by themselves.', environment)
  async followRemote(
    @Param('environment', { schema: environmentName }) name: string,
    @Body({ schema: followRequest }) { source }: z.infer<typeof followRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<Environment> {
    // It goes on when whoever asked may do nothing any more, and lets in whoever may push there.
    demand(caller, 'configure', name);
    await this.commands.followRemote(name, source, caller);
    return this.reads.environment(name);
  }

  @Delete(':environment/follow')
  @HttpCode(200)
  @Needs('promote', 'path')
  @Answers(200, 'Follows nothing any more; what runs goes on.', environment)
  async unfollow(
    @Param('environment', { schema: environmentName }) name: string,
    @WhoAsks() caller: Caller,
  ): Promise<Environment> {
    await this.commands.unfollow(name, caller);
    return this.reads.environment(name);
  }
}
