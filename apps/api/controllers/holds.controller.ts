import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '#core';
import { freezeRequest, holdRequest, liftHoldRequest, promotionStand, type PromotionStand } from '#contracts';
import { WhoAsks } from '../actor.ts';
import { Answers, listOf } from '../answers.ts';
import { Needs, viewableBy } from '../needs.ts';
import { environmentName, recordId } from '../parameters.ts';
import type { Commands, Reads } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('promotions')
@Controller('api/v1')
export class HoldsController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Get('board')
  @Needs('view', 'any')
  @Answers(
    200,
    'Where every environment stands, in the order in which releases go through them.',
    listOf(promotionStand),
  )
  async board(@WhoAsks() caller: Caller): Promise<{ items: PromotionStand[] }> {
    return { items: await this.reads.board(viewableBy(caller)) };
  }

  @Get('environments/:environment/promotions')
  @Needs('view', 'path')
  @Answers(200, 'Where an environment stands: its release, open promotions, holds and freezes.', promotionStand)
  stand(@Param('environment', { schema: environmentName }) environment: string): Promise<PromotionStand> {
    return this.reads.promotionStand(environment);
  }

  @Post('holds')
  @HttpCode(200)
  @Needs('configure', 'body')
  @Answers(200, 'Stops promotions of one release to one environment.', promotionStand)
  async setHold(
    @Body({ schema: holdRequest }) { environment, release, reason }: z.infer<typeof holdRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionStand> {
    await this.commands.setHold(environment, release, reason, caller);
    return this.reads.promotionStand(environment);
  }

  @Post('holds/lift')
  @HttpCode(200)
  @Needs('configure', 'body')
  @Answers(200, 'Lets promotions of the release go on.', promotionStand)
  async liftHold(
    @Body({ schema: liftHoldRequest }) { environment, release }: z.infer<typeof liftHoldRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionStand> {
    await this.commands.liftHold(environment, release, caller);
    return this.reads.promotionStand(environment);
  }

  @Post('freezes')
  @HttpCode(200)
  @Needs('configure', 'body')
  @Answers(200, 'Nothing is switched meanwhile, rollbacks apart.', promotionStand)
  async addFreeze(
    @Body({ schema: freezeRequest }) request: z.infer<typeof freezeRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionStand> {
    await this.commands.addFreeze(request, caller);
    return this.reads.promotionStand(request.environment);
  }

  @Delete('environments/:environment/freezes/:freeze')
  @HttpCode(200)
  @Needs('configure', 'path')
  @Answers(200, 'Ends a freeze before its time.', promotionStand)
  async liftFreeze(
    @Param('environment', { schema: environmentName }) environment: string,
    @Param('freeze', { schema: recordId }) id: string,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionStand> {
    await this.commands.liftFreeze(environment, id, caller);
    return this.reads.promotionStand(environment);
  }
}
