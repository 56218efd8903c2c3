import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { backfillPlan, backfillRequest } from '#contracts';
import { Actor } from '../actor.ts';
import { Answers } from '../answers.ts';
import { Needs } from '../needs.ts';
import type { BackfillPlan, Commands } from '../ports.ts';
import { COMMANDS } from '../tokens.ts';

@ApiTags('backfills')
@Controller('api/v1/backfills')
export class BackfillsController {
  constructor(@Inject(COMMANDS) private readonly commands: Commands) {}

  @Post()
  @HttpCode(200)
  @Needs('operate', 'body')
  @Answers(200, 'Creates the missing runs of a range; with `dryRun` only tells which.', backfillPlan)
  backfill(
    @Body({ schema: backfillRequest }) request: z.infer<typeof backfillRequest>,
    @Actor() actor: string,
  ): Promise<BackfillPlan> {
    return this.commands.backfill(request, actor);
  }
}
