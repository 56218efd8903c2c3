import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '#core';
import { createdToken, token, tokenRequest, whoami, type CreatedToken, type Token, type WhoAmI } from '#contracts';
import { WhoAsks } from '../actor.ts';
import { Answers, listOf } from '../answers.ts';
import { Needs, NeedsCredentials } from '../needs.ts';
import { tokenName } from '../parameters.ts';
import type { Tokens } from '../ports.ts';
import { TOKENS } from '../tokens.ts';

@ApiTags('tokens')
@Controller('api/v1')
export class TokensController {
  constructor(@Inject(TOKENS) private readonly tokens: Tokens) {}

  @Get('tokens')
  @Needs('admin', 'all')
  @Answers(200, 'The named tokens that were not revoked, by name.', listOf(token))
  async listTokens(): Promise<{ items: Token[] }> {
    return { items: [...(await this.tokens.list())] };
  }

  @Post('tokens')
  @Needs('admin', 'all')
  @Answers(
    201,
    'Makes a named token with some of the caller’s rights; this answer alone holds the token.',
    createdToken,
  )
  async createToken(
    @Body({ schema: tokenRequest }) request: z.infer<typeof tokenRequest>,
    @WhoAsks() caller: Caller,
  ): Promise<CreatedToken> {
    const created = await this.tokens.create(request, caller);
    return { ...created.record, token: created.token };
  }

  @Delete('tokens/:token')
  @HttpCode(204)
  @Needs('admin', 'all')
  @Answers(204, 'Ends a token and the logins made from it, within five seconds everywhere.', null)
  revokeToken(@Param('token', { schema: tokenName }) name: string, @WhoAsks() caller: Caller): Promise<void> {
    return this.tokens.revoke(name, caller);
  }

  @Get('whoami')
  @NeedsCredentials()
  @Answers(200, 'Name, groups and rights of the caller.', whoami)
  whoAmI(@WhoAsks() { name, groups, rights }: Caller): WhoAmI {
    return { name, groups: [...groups], rights: rights.map((one) => ({ ...one })) };
  }
}
