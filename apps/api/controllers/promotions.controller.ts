import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller, PromotionState } from '#core';
import {
  decisionOnBehalfRequest,
  decisionRequest,
  overrideRequest,
  planRequest,
  promotion,
  promotionDetail,
  promotionPlan,
  promotionRequest,
  rollbackRequest,
  type Promotion,
  type PromotionDetail,
  type PromotionPlan,
} from '#contracts';
import { WhoAsks } from '../actor.ts';
import { Answers, pageOf } from '../answers.ts';
import { demand, Needs, viewableBy } from '../needs.ts';
import { promotionsQuery, recordId } from '../parameters.ts';
import type { Commands, Page, Reads } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('promotions')
@Controller('api/v1')
export class PromotionsController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Post('plans')
  @HttpCode(200)
  @Needs('view', 'body')
  @Answers(200, 'What a promotion would change, and what it has to pass. Asks for nothing.', promotionPlan)
  planPromotion(
    @Body({ schema: planRequest }) request: z.infer<typeof planRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionPlan> {
    return this.reads.promotionPlan(request, viewableBy(caller));
  }

  @Get('promotions')
  @Needs('view', 'query-or-any')
  @Answers(200, 'Promotions, newest first.', pageOf(promotion))
  listPromotions(
    @Query({ schema: promotionsQuery }) { env, release, state, limit, cursor }: z.infer<typeof promotionsQuery>,
    @WhoAsks() caller: Caller,
  ): Promise<Page<Promotion>> {
    return this.reads.promotions({
      ...{ environment: env ?? null, release: release ?? null },
      states: (state?.split(',') as PromotionState[] | undefined) ?? null,
      ...{ among: viewableBy(caller), limit, cursor: cursor ?? null },
    });
  }

  @Get('promotions/:promotion')
  @Needs('view', 'promotion')
  @Answers(200, 'One promotion with its gates, their evidence, approvals and runs.', promotionDetail)
  getPromotion(@Param('promotion', { schema: recordId }) id: string): Promise<PromotionDetail> {
    return this.reads.promotion(id);
  }

  @Post('promotions')
  @Needs('promote', 'body')
  @Answers(201, 'Asks for a promotion; the same request again is the same promotion.', promotionDetail)
  async promote(
    @Body({ schema: promotionRequest }) request: z.infer<typeof promotionRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionDetail> {
    if (request.kind === 'hotfix' || request.overrides.length > 0) demand(caller, 'override', request.environment);
    if (request.approver !== null) demand(caller, 'approve-on-behalf', request.environment);
    for (const { environment } of request.verified) demand(caller, 'vouch', environment);
    return this.reads.promotion(await this.commands.requestPromotion(request, caller));
  }

  @Post('rollbacks')
  @Needs('promote', 'body')
  @Answers(201, 'Returns to a release that was verified there before.', promotionDetail)
  async rollBack(
    @Body({ schema: rollbackRequest }) request: z.infer<typeof rollbackRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionDetail> {
    return this.reads.promotion(await this.commands.rollBack(request, caller));
  }

  @Post('promotions/:promotion/approvals')
  @HttpCode(200)
  @Needs('approve', 'promotion')
  @Answers(200, 'Approves or rejects in one’s own name.', promotionDetail)
  async decidePromotion(
    @Param('promotion', { schema: recordId }) id: string,
    @Body({ schema: decisionRequest }) request: z.infer<typeof decisionRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionDetail> {
    await this.commands.decidePromotion(id, { ...request, approver: null }, caller);
    return this.reads.promotion(id);
  }

  @Post('promotions/:promotion/approvals-on-behalf')
  @HttpCode(200)
  @Needs('approve-on-behalf', 'promotion')
  @Answers(200, 'Approves or rejects in the name of somebody whom the token vouches for.', promotionDetail)
  async decideOnBehalf(
    @Param('promotion', { schema: recordId }) id: string,
    @Body({ schema: decisionOnBehalfRequest }) request: z.infer<typeof decisionOnBehalfRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionDetail> {
    await this.commands.decidePromotion(id, request, caller);
    return this.reads.promotion(id);
  }

  @Post('promotions/:promotion/overrides')
  @HttpCode(200)
  @Needs('override', 'promotion')
  @Answers(200, 'Passes over a gate that waits for an answer; who and why are shown for ever.', promotionDetail)
  async overrideGate(
    @Param('promotion', { schema: recordId }) id: string,
    @Body({ schema: overrideRequest }) { gate, reason }: z.infer<typeof overrideRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionDetail> {
    await this.commands.overrideGate(id, gate, reason, caller);
    return this.reads.promotion(id);
  }

  @Post('promotions/:promotion/cancel')
  @HttpCode(200)
  @Needs('promote', 'promotion')
  @Answers(200, 'Ends a promotion that has not switched yet.', promotionDetail)
  async cancelPromotion(
    @Param('promotion', { schema: recordId }) id: string,
    @WhoAsks() caller: Caller,
  ): Promise<PromotionDetail> {
    await this.commands.cancelPromotion(id, caller);
    return this.reads.promotion(id);
  }
}
