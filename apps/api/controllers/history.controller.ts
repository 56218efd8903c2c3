import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '#core';
import {
  archivedRun,
  archivedRunDetail,
  pruneReport,
  pruneRequest,
  type ArchivedRun,
  type ArchivedRunDetail,
  type PruneReport,
} from '#contracts';
import { Actor, WhoAsks } from '../actor.ts';
import { Answers, pageOf } from '../answers.ts';
import { Needs, viewableBy } from '../needs.ts';
import { backfillsQuery, recordId } from '../parameters.ts';
import type { Commands, Page, Reads } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('history')
@Controller('api/v1/history')
export class HistoryController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Get('runs')
  @Needs('view', 'query-or-any')
  @Answers(200, 'Runs that are in archives, newest first.', pageOf(archivedRun))
  listArchivedRuns(
    @Query({ schema: backfillsQuery }) query: z.infer<typeof backfillsQuery>,
    @WhoAsks() caller: Caller,
  ): Promise<Page<ArchivedRun>> {
    const { env, pipeline, limit, cursor } = query;
    return this.reads.archivedRuns({
      environment: env ?? null,
      among: viewableBy(caller),
      pipeline: pipeline ?? null,
      limit,
      cursor: cursor ?? null,
    });
  }

  @Get('runs/:run')
  @Needs('view', 'run')
  @Answers(200, 'What the archive holds of a run.', archivedRunDetail)
  getArchivedRun(@Param('run', { schema: recordId }) runId: string): Promise<ArchivedRunDetail> {
    return this.reads.archivedRun(runId);
  }

  @Post('prune')
  @HttpCode(200)
  @Needs('admin', 'all')
  @Answers(200, 'Moves runs past the retention of their environment into archives, as every hour.', pruneReport)
  pruneHistory(
    @Body({ schema: pruneRequest }) request: z.infer<typeof pruneRequest>,
    @Actor() actor: string,
  ): Promise<PruneReport> {
    return this.commands.pruneHistory(request, actor);
  }
}
