import { Body, Controller, Get, HttpCode, Inject, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { SluiceError, type Caller } from '#core';
import {
  beatAnswer,
  beatRequest,
  claimAnswer,
  claimRequest,
  releaseObjectKey,
  reportAnswer,
  reportRequest,
  signedIn,
  signInRequest,
  signOutRequest,
} from '#contracts';
import { WhoAsks } from '../actor.ts';
import { Answers } from '../answers.ts';
import { Needs } from '../needs.ts';
import type { WorkerCommands } from '../ports.ts';
import { WORKERS } from '../tokens.ts';

const releaseObjectQuery = z.strictObject({ key: releaseObjectKey });

/** What workers ask and tell. Which attempts a token may be given is looked at where they are given. */
@ApiTags('workers')
@Controller('api/v1/workers')
export class WorkersController {
  constructor(@Inject(WORKERS) private readonly workers: WorkerCommands) {}

  @Post()
  @Needs('work', 'any')
  @Answers(201, 'Signs a worker in.', signedIn)
  signIn(@Body({ schema: signInRequest }) request: z.infer<typeof signInRequest>): Promise<z.infer<typeof signedIn>> {
    return this.workers.signIn(request);
  }

  @Post('beats')
  @Needs('work', 'any')
  @HttpCode(200)
  @Answers(200, 'Says that the worker lives; which attempts are its own.', beatAnswer)
  beat(@Body({ schema: beatRequest }) request: z.infer<typeof beatRequest>, @WhoAsks() caller: Caller) {
    return this.workers.beat(request, caller);
  }

  @Post('claims')
  @Needs('work', 'any')
  @HttpCode(200)
  @Answers(200, 'Takes attempts that nobody has taken, with the secrets of their tasks.', claimAnswer)
  claim(@Body({ schema: claimRequest }) request: z.infer<typeof claimRequest>, @WhoAsks() caller: Caller) {
    return this.workers.claim(request, caller);
  }

  @Post('reports')
  @Needs('work', 'any')
  @HttpCode(200)
  @Answers(200, 'Keeps results of attempts that are the worker’s own.', reportAnswer)
  report(@Body({ schema: reportRequest }) request: z.infer<typeof reportRequest>) {
    return this.workers.report(request);
  }

  @Post('sign-out')
  @Needs('work', 'any')
  @HttpCode(204)
  signOut(@Body({ schema: signOutRequest }) request: z.infer<typeof signOutRequest>): Promise<void> {
    return this.workers.signOut(request);
  }

  @Get('release-objects')
  @Needs('work', 'any')
  async releaseObject(
    @Query({ schema: releaseObjectQuery }) { key }: z.infer<typeof releaseObjectQuery>,
  ): Promise<StreamableFile> {
    const content = await this.workers.releaseObject(key);
    if (content === null) throw new SluiceError('not_found', `The release store lacks ${key}.`);
    return new StreamableFile(content);
  }
}
