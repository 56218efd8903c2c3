import { Controller, Get, Inject, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Caller } from '#core';
import { latestVerification, runDiff, verification, type RunDiffShape, type VerificationShape } from '#contracts';
import { Actor, WhoAsks } from '../actor.ts';
import { Answers } from '../answers.ts';
import { demand, Needs } from '../needs.ts';
import { recordId } from '../parameters.ts';
import type { Commands, Reads } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('runs')
@Controller('api/v1/runs')
export class VerificationsController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Post(':run/verify')
  @Needs('operate', 'run')
  @Answers(201, 'Executes the run again, publishing nothing, to compare what it writes.', verification)
  async verify(@Param('run', { schema: recordId }) runId: string, @Actor() actor: string): Promise<VerificationShape> {
    await this.commands.verifyRun(runId, actor);
    return (await this.reads.verification(runId)) as VerificationShape;
  }

  @Get(':run/verification')
  @Needs('view', 'run')
  @Answers(200, 'The newest verification of a run; null when it was never verified.', latestVerification)
  async getVerification(
    @Param('run', { schema: recordId }) runId: string,
  ): Promise<{ verification: VerificationShape | null }> {
    return { verification: await this.reads.verification(runId) };
  }

  @Get(':run/diff/:other')
  @Needs('view', 'run')
  @Answers(200, 'What the other run differs in from this one.', runDiff)
  async diffRuns(
    @Param('run', { schema: recordId }) runId: string,
    @Param('other', { schema: recordId }) other: string,
    @WhoAsks() caller: Caller,
  ): Promise<RunDiffShape> {
    demand(caller, 'view', await this.reads.environmentOfRun(other));
    return this.reads.runDiff(runId, other);
  }
}
