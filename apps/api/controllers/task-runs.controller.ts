import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Sse,
  StreamableFile,
  type MessageEvent,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { z } from 'zod';
import type { Caller } from '#core';
import {
  answerRequest,
  answerResult,
  logLine,
  logPage,
  notebook,
  taskRunDetail,
  type AnswerResult,
  type LogPageShape,
  type TaskRunDetail,
} from '#contracts';
import type { Auth } from '#platform';
import { WhoAsks } from '../actor.ts';
import { Answers } from '../answers.ts';
import { Needs } from '../needs.ts';
import {
  logQuery,
  logSearchQuery,
  logTailQuery,
  notebookQuery,
  recordId,
  taskId,
  taskRunQuery,
} from '../parameters.ts';
import type { Commands, Reads } from '../ports.ts';
import { heartbeat, lineToGoOn, logStream, STREAM_LIMIT, whileCredentialsHold } from '../streams.ts';
import { AUTH, COMMANDS, READS } from '../tokens.ts';

@ApiTags('task runs and logs')
@Controller('api/v1/runs/:run/tasks/:task')
export class TaskRunsController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
    @Inject(AUTH) private readonly auth: Auth,
  ) {}

  @Get()
  @Needs('view', 'run')
  @Answers(200, 'One task run with its attempts.', taskRunDetail)
  getTaskRun(
    @Param('run', { schema: recordId }) runId: string,
    @Param('task', { schema: taskId }) task: string,
    @Query({ schema: taskRunQuery }) { map }: z.infer<typeof taskRunQuery>,
  ): Promise<TaskRunDetail> {
    return this.reads.taskRun({ runId, taskId: task, mapIndex: map });
  }

  @Post('approvals')
  @HttpCode(200)
  @Needs('approve', 'run')
  @Answers(200, 'Answers what a task asks, in the caller’s name: one item, or all that ask now.', answerResult)
  async answerTask(
    @Param('run', { schema: recordId }) runId: string,
    @Param('task', { schema: taskId }) task: string,
    @Body({ schema: answerRequest }) request: z.infer<typeof answerRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<AnswerResult> {
    const answered = await this.commands.answerTask(runId, task, request, caller);
    return {
      ...(await this.reads.taskRun({ runId, taskId: task, mapIndex: answered[0]?.mapIndex ?? 0 })),
      answered: [...answered],
    };
  }

  @Get('log')
  @Needs('view', 'run')
  @Answers(200, 'Lines of an attempt’s log; without `try` of the newest.', logPage)
  getLog(
    @Param('run', { schema: recordId }) runId: string,
    @Param('task', { schema: taskId }) task: string,
    @Query({ schema: logQuery }) query: z.infer<typeof logQuery>,
  ): Promise<LogPageShape> {
    const key = { runId, taskId: task, mapIndex: query.map, number: query.try ?? null };
    return this.reads.log(key, { fromLine: query.from, limit: query.limit });
  }

  @Get('log/search')
  @Needs('view', 'run')
  @Answers(200, 'Numbers of the lines that contain the text, ignoring case.', z.object({ lines: z.array(z.number()) }))
  async searchLog(
    @Param('run', { schema: recordId }) runId: string,
    @Param('task', { schema: taskId }) task: string,
    @Query({ schema: logSearchQuery }) query: z.infer<typeof logSearchQuery>,
  ): Promise<{ lines: number[] }> {
    const key = { runId, taskId: task, mapIndex: query.map, number: query.try ?? null };
    return { lines: await this.reads.searchLog(key, query.q) };
  }

  @Get('notebook')
  @Needs('view', 'run')
  @Answers(200, 'The executed notebook of an attempt, as Jupyter reads it; without `try` of the newest.', notebook)
  async getNotebook(
    @Param('run', { schema: recordId }) runId: string,
    @Param('task', { schema: taskId }) task: string,
    @Query({ schema: notebookQuery }) query: z.infer<typeof notebookQuery>,
  ): Promise<StreamableFile> {
    const key = { runId, taskId: task, mapIndex: query.map, number: query.try ?? null };
    // Never shown as it is: what a notebook holds was written by the task.
    const disposition = `attachment; filename="${task}-${runId}.ipynb"`;
    return new StreamableFile(await this.reads.notebook(key), { type: 'application/x-ipynb+json', disposition });
  }

  @Sse('log/tail', { maxPendingDataLength: STREAM_LIMIT })
  @Needs('view', 'run')
  @Answers(200, 'Server-sent events: `lines` as they are written, `end` when the log is complete.', z.array(logLine))
  tailLog(
    @Param('run', { schema: recordId }) runId: string,
    @Param('task', { schema: taskId }) task: string,
    @Query({ schema: logTailQuery }) query: z.infer<typeof logTailQuery>,
    @Headers('last-event-id') last: string | undefined,
    @Req() request: FastifyRequest,
  ): Observable<MessageEvent> {
    const key = { runId, taskId: task, mapIndex: query.map, number: query.try ?? null };
    const from = lineToGoOn(query.from, last);
    return whileCredentialsHold(heartbeat(logStream(this.reads, key, from)), this.auth, request);
  }
}
