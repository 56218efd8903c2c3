import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { SluiceError } from '#core';
import {
  grid,
  metricSeries,
  pipelineDetail,
  pipelineSummary,
  run,
  schedulePreview,
  checkSeries,
  triggerRequest,
  type CheckSeries,
  type Grid,
  type MetricSeries,
  type PipelineDetail,
  type PipelineSummary,
  type Run,
  type SchedulePreview,
} from '#contracts';
import { Actor } from '../actor.ts';
import { Answers, listOf } from '../answers.ts';
import { Needs } from '../needs.ts';
import { checksQuery, environmentBody, gridQuery, inEnvironment, metricsQuery, pipelineName } from '../parameters.ts';
import type { Commands, Reads } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('pipelines')
@Controller('api/v1/pipelines')
export class PipelinesController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('view', 'query')
  @Answers(200, 'The pipelines of an environment, with their last 30 runs.', listOf(pipelineSummary))
  async listPipelines(
    @Query({ schema: inEnvironment }) { env }: z.infer<typeof inEnvironment>,
  ): Promise<{ items: PipelineSummary[] }> {
    return { items: await this.reads.pipelines(env) };
  }

  @Get(':pipeline')
  @Needs('view', 'query')
  @Answers(200, 'One pipeline: its file, tasks, graph and next fires.', pipelineDetail)
  getPipeline(
    @Param('pipeline', { schema: pipelineName }) pipeline: string,
    @Query({ schema: inEnvironment }) { env }: z.infer<typeof inEnvironment>,
  ): Promise<PipelineDetail> {
    return this.reads.pipeline(env, pipeline);
  }

  @Get(':pipeline/schedule')
  @Needs('view', 'query')
  @Answers(200, 'The next fires, and those around the next changes of the clocks.', schedulePreview)
  getSchedule(
    @Param('pipeline', { schema: pipelineName }) pipeline: string,
    @Query({ schema: inEnvironment }) { env }: z.infer<typeof inEnvironment>,
  ): Promise<SchedulePreview> {
    return this.reads.schedulePreview(env, pipeline);
  }

  @Get(':pipeline/grid')
  @Needs('view', 'query')
  @Answers(200, 'States of runs × tasks, oldest run first.', grid)
  getGrid(
    @Param('pipeline', { schema: pipelineName }) pipeline: string,
    @Query({ schema: gridQuery }) { env, runs, before }: z.infer<typeof gridQuery>,
  ): Promise<Grid> {
    return this.reads.grid(env, pipeline, { runs, before: before ?? null });
  }

  @Get(':pipeline/metrics')
  @Needs('view', 'query')
  @Answers(200, 'Metrics over the last runs; `limit` counts runs.', listOf(metricSeries))
  async getMetrics(
    @Param('pipeline', { schema: pipelineName }) pipeline: string,
    @Query({ schema: metricsQuery }) { env, task, name, limit }: z.infer<typeof metricsQuery>,
  ): Promise<{ items: MetricSeries[] }> {
    return {
      items: await this.reads.metricSeries(env, pipeline, { task: task ?? null, name: name ?? null, runs: limit }),
    };
  }

  @Get(':pipeline/checks')
  @Needs('view', 'query')
  @Answers(200, 'What checks came to over the last runs; `limit` counts runs.', listOf(checkSeries))
  async getChecks(
    @Param('pipeline', { schema: pipelineName }) pipeline: string,
    @Query({ schema: checksQuery }) { env, task, limit }: z.infer<typeof checksQuery>,
  ): Promise<{ items: CheckSeries[] }> {
    return { items: await this.reads.checkSeries(env, pipeline, { task: task ?? null, runs: limit }) };
  }

  @Post(':pipeline/runs')
  @Needs('operate', 'body')
  @Answers(201, 'Starts a run by hand.', run)
  async trigger(
    @Param('pipeline', { schema: pipelineName }) pipeline: string,
    @Body({ schema: triggerRequest }) request: z.infer<typeof triggerRequest>,
    @Actor() actor: string,
  ): Promise<Run> {
    if (request.at !== undefined && (request.from !== undefined || request.to !== undefined))
      throw new SluiceError('bad_request', 'A run has either `at` or `from` and `to`, not both.');
    if ((request.from === undefined) !== (request.to === undefined))
      throw new SluiceError('bad_request', 'An interval needs both ends: `from` and `to`.');
    const { runId } = await this.commands.trigger(pipeline, request, actor);
    return this.reads.run(runId);
  }

  @Post(':pipeline/pause')
  @HttpCode(200)
  @Needs('operate', 'body')
  @Answers(200, 'Stops the schedule of a pipeline in an environment; running runs go on.', pipelineSummary)
  pause(
    @Param('pipeline', { schema: pipelineName }) pipeline: string,
    @Body({ schema: environmentBody }) { environment }: z.infer<typeof environmentBody>,
    @Actor() actor: string,
  ): Promise<PipelineSummary> {
    return this.#setPaused(environment, pipeline, true, actor);
  }

  @Post(':pipeline/unpause')
  @HttpCode(200)
  @Needs('operate', 'body')
  @Answers(200, 'Lets the schedule go on; what was missed follows its catchup rule.', pipelineSummary)
  unpause(
    @Param('pipeline', { schema: pipelineName }) pipeline: string,
    @Body({ schema: environmentBody }) { environment }: z.infer<typeof environmentBody>,
    @Actor() actor: string,
  ): Promise<PipelineSummary> {
    return this.#setPaused(environment, pipeline, false, actor);
  }

  async #setPaused(environment: string, pipeline: string, paused: boolean, actor: string): Promise<PipelineSummary> {
    await this.commands.setPaused(environment, pipeline, paused, actor);
    return this.reads.pipelineSummary(environment, pipeline);
  }
}
