import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { SluiceError, type Caller, type RunState } from '#core';
import {
  bulkOutcome,
  bulkRequest,
  markRequest,
  metricsIn,
  rerunRequest,
  rerunResult,
  run,
  runCheck,
  runDetail,
  waitingReason,
  type BulkOutcome,
  type RerunResult,
  type Run,
  type RunCheck,
  type RunDetail,
} from '#contracts';
import { Actor, WhoAsks } from '../actor.ts';
import { Answers, listOf, pageOf } from '../answers.ts';
import { Needs, viewableBy } from '../needs.ts';
import { recordId, runsQuery } from '../parameters.ts';
import type { Commands, Page, Reads, WaitingReason } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('runs')
@Controller('api/v1/runs')
export class RunsController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('view', 'query-or-any')
  @Answers(200, 'Runs, newest first.', pageOf(run))
  listRuns(
    @Query({ schema: runsQuery }) query: z.infer<typeof runsQuery>,
    @WhoAsks() caller: Caller,
  ): Promise<Page<Run>> {
    const { env, pipeline, state, from, to, limit, cursor } = query;
    return this.reads.runs({
      environment: env ?? null,
      among: viewableBy(caller),
      pipeline: pipeline ?? null,
      states: (state?.split(',') as RunState[] | undefined) ?? null,
      from: from ?? null,
      to: to ?? null,
      limit,
      cursor: cursor ?? null,
    });
  }

  @Get(':run')
  @Needs('view', 'run')
  @Answers(200, 'One run with its task runs.', runDetail)
  getRun(@Param('run', { schema: recordId }) runId: string): Promise<RunDetail> {
    return this.reads.runDetail(runId);
  }

  @Get(':run/why')
  @Needs('view', 'run')
  @Answers(200, 'What holds back whatever of this run has not started yet.', listOf(waitingReason))
  async whyWaiting(@Param('run', { schema: recordId }) runId: string): Promise<{ items: WaitingReason[] }> {
    return { items: await this.reads.whyWaiting(runId) };
  }

  @Get(':run/checks')
  @Needs('view', 'run')
  @Answers(200, 'What the checks of its last tries came to, with some of the bad rows.', listOf(runCheck))
  async getRunChecks(@Param('run', { schema: recordId }) runId: string): Promise<{ items: RunCheck[] }> {
    return { items: await this.reads.runChecks(runId) };
  }

  @Post(':run/cancel')
  @HttpCode(200)
  @Needs('operate', 'run')
  @Answers(200, 'Asks for the end of a run; its `finally` tasks still follow.', run)
  async cancel(@Param('run', { schema: recordId }) runId: string, @Actor() actor: string): Promise<Run> {
    await this.commands.cancelRun(runId, actor);
    return this.reads.run(runId);
  }

  @Post(':run/marks')
  @HttpCode(200)
  @Needs('operate', 'run')
  @Answers(200, 'Says what a run, a task of it or one of its task runs counts as; what has ended keeps its state.', run)
  async markRun(
    @Param('run', { schema: recordId }) runId: string,
    @Body({ schema: markRequest }) request: z.infer<typeof markRequest>,
    @Actor() actor: string,
  ): Promise<Run> {
    await this.commands.markRun(runId, request, actor);
    return this.reads.run(runId);
  }

  @Post('bulk')
  @HttpCode(200)
  @Needs('operate', 'body')
  @Answers(200, 'Does the same to many runs, in the order given; each answers for itself.', listOf(bulkOutcome))
  async actOnRuns(
    @Body({ schema: bulkRequest }) { environment, runs, action }: z.infer<typeof bulkRequest>,
    @Actor() actor: string,
  ): Promise<{ items: BulkOutcome[] }> {
    return { items: await this.commands.actOnRuns(environment, runs, action, actor) };
  }

  @Post(':run/rerun')
  @Needs('operate', 'run')
  @Answers(
    201,
    'Makes a new run that takes over what it need not repeat; says what of that changed since.',
    rerunResult,
  )
  async rerun(
    @Param('run', { schema: recordId }) runId: string,
    @Body({ schema: rerunRequest }) request: z.infer<typeof rerunRequest>,
    @Actor() actor: string,
  ): Promise<RerunResult> {
    if ((request.mode === 'from') !== (request.task !== undefined))
      throw new SluiceError('bad_request', 'Mode `from` needs `task`, and no other mode takes one.');
    const created = await this.commands.rerunRun(runId, request, actor);
    return this.reads.rerun(created.runId);
  }

  @Post(':run/metrics')
  @HttpCode(204)
  @Needs('operate', 'run')
  @Answers(204, 'Adds metric points to task runs of this run.', null)
  async recordMetrics(
    @Param('run', { schema: recordId }) runId: string,
    @Body({ schema: metricsIn }) { points }: z.infer<typeof metricsIn>,
  ): Promise<void> {
    await this.commands.recordMetrics(runId, points);
  }
}
