import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '#core';
import {
  backfill,
  backfillDetail,
  backfillPlan,
  backfillRequest,
  type BackfillDetail,
  type BackfillPlan,
  type BackfillShape,
} from '#contracts';
import { Actor, WhoAsks } from '../actor.ts';
import { Answers, pageOf } from '../answers.ts';
import { Needs, viewableBy } from '../needs.ts';
import { backfillsQuery, recordId } from '../parameters.ts';
import type { Commands, Page, Reads } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('backfills')
@Controller('api/v1/backfills')
export class BackfillsController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('view', 'query-or-any')
  @Answers(200, 'Backfills, newest first.', pageOf(backfill))
  listBackfills(
    @Query({ schema: backfillsQuery }) query: z.infer<typeof backfillsQuery>,
    @WhoAsks() caller: Caller,
  ): Promise<Page<BackfillShape>> {
    const { env, pipeline, limit, cursor } = query;
    return this.reads.backfills({
      environment: env ?? null,
      among: viewableBy(caller),
      pipeline: pipeline ?? null,
      limit,
      cursor: cursor ?? null,
    });
  }

  @Post()
  @HttpCode(200)
  @Needs('operate', 'body')
  @Answers(200, 'Notes a plan that the scheduler works off; with `dryRun` only tells it.', backfillPlan)
  async createBackfill(
    @Body({ schema: backfillRequest }) request: z.infer<typeof backfillRequest>,
    @Actor() actor: string,
    @WhoAsks() caller: Caller,
  ): Promise<BackfillPlan> {
    const { release } = request;
    const digest = release === undefined ? undefined : (await this.reads.release(release, viewableBy(caller))).digest;
    const { id, ...plan } = await this.commands.backfill({ ...request, release: digest }, actor);
    return { backfill: id === null ? null : await this.reads.backfill(id), ...plan };
  }

  @Get(':backfill')
  @Needs('view', 'backfill')
  @Answers(200, 'One backfill with each of its intervals.', backfillDetail)
  getBackfill(@Param('backfill', { schema: recordId }) id: string): Promise<BackfillDetail> {
    return this.reads.backfillDetail(id);
  }

  @Post(':backfill/pause')
  @HttpCode(200)
  @Needs('operate', 'backfill')
  @Answers(200, 'No further run of it begins; what runs goes on.', backfill)
  async pauseBackfill(
    @Param('backfill', { schema: recordId }) id: string,
    @Actor() actor: string,
  ): Promise<BackfillShape> {
    await this.commands.pauseBackfill(id, actor);
    return this.reads.backfill(id);
  }

  @Post(':backfill/resume')
  @HttpCode(200)
  @Needs('operate', 'backfill')
  @Answers(200, 'Goes on with a paused one.', backfill)
  async resumeBackfill(
    @Param('backfill', { schema: recordId }) id: string,
    @Actor() actor: string,
  ): Promise<BackfillShape> {
    await this.commands.resumeBackfill(id, actor);
    return this.reads.backfill(id);
  }

  @Post(':backfill/cancel')
  @HttpCode(200)
  @Needs('operate', 'backfill')
  @Answers(200, 'Ends it and its runs.', backfill)
  async cancelBackfill(
    @Param('backfill', { schema: recordId }) id: string,
    @Actor() actor: string,
  ): Promise<BackfillShape> {
    await this.commands.cancelBackfill(id, actor);
    return this.reads.backfill(id);
  }
}
