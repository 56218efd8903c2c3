import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Auth } from '#platform';
import { Answers } from '../answers.ts';
import { NeedsCredentials } from '../needs.ts';
import { loginBody } from '../parameters.ts';
import { AUTH, PUBLIC_URL } from '../tokens.ts';

@ApiTags('login')
@Controller('api/v1/login')
export class LoginController {
  constructor(
    @Inject(AUTH) private readonly auth: Auth,
    @Inject(PUBLIC_URL) private readonly publicUrl: string | null,
  ) {}

  @Post()
  @RouteConfig({ open: true })
  @HttpCode(204)
  @Answers(204, 'Trades a one-time code or a token for the web view’s cookie.', null)
  async login(
    @Body({ schema: loginBody }) proof: z.infer<typeof loginBody>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const secureOnly = this.publicUrl?.startsWith('https:') ?? false;
    void reply.header('set-cookie', await this.auth.login(proof, request.ip, secureOnly));
  }

  @Post('codes')
  @NeedsCredentials()
  @Answers(
    201,
    'A code that logs a browser in, once, within ten minutes: `/login?code=CODE`.',
    z.object({ code: z.string(), expiresAt: z.string() }),
  )
  createLoginCode(@Req() { credential }: FastifyRequest): { code: string; expiresAt: string } {
    const { code, expiresAt } = this.auth.createLoginCode(credential?.tokenId ?? null);
    return { code, expiresAt: expiresAt.toISOString() };
  }
}
