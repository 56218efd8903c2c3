import { Body, Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { type Caller } from '#core';
import { alertDelivery, type AlertDelivery } from '#contracts';
import { WhoAsks } from '../actor.ts';
import { Answers, listOf, pageOf } from '../answers.ts';
import { Needs, viewableBy } from '../needs.ts';
import { alertsQuery, alertTestBody } from '../parameters.ts';
import type { Commands, Page, Reads } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('alerts')
@Controller('api/v1/alerts')
export class AlertsController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('view', 'query-or-any')
  @Answers(200, 'Deliveries of alerts, newest first.', pageOf(alertDelivery))
  listAlerts(
    @Query({ schema: alertsQuery }) { env, limit, cursor }: z.infer<typeof alertsQuery>,
    @WhoAsks() caller: Caller,
  ): Promise<Page<AlertDelivery>> {
    return this.reads.alerts({ environment: env ?? null, among: viewableBy(caller), limit, cursor: cursor ?? null });
  }

  @Post('test')
  @HttpCode(200)
  @Needs('operate', 'body')
  @Answers(200, 'Sends a test message to one target, or to all of the environment.', listOf(alertDelivery))
  async testAlerts(
    @Body({ schema: alertTestBody }) { environment, target }: z.infer<typeof alertTestBody>,
  ): Promise<{ items: AlertDelivery[] }> {
    return { items: await this.reads.alertsByIds(await this.commands.testAlerts(environment, target ?? null)) };
  }
}
