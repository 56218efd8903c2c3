import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { gcReport, gcRequest, type GcReport } from '#contracts';
import { Actor } from '../actor.ts';
import { Answers } from '../answers.ts';
import { Needs } from '../needs.ts';
import type { Commands } from '../ports.ts';
import { COMMANDS } from '../tokens.ts';

@ApiTags('system')
@Controller('api/v1/gc')
export class GcController {
  constructor(@Inject(COMMANDS) private readonly commands: Commands) {}

  @Post()
  @HttpCode(200)
  @Needs('admin', 'all')
  @Answers(200, 'Removes data versions and releases that nothing needs any more.', gcReport)
  collectGarbage(
    @Body({ schema: gcRequest }) request: z.infer<typeof gcRequest>,
    @Actor() actor: string,
  ): Promise<GcReport> {
    return this.commands.collectGarbage(request, actor);
  }
}
