import { Body, Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import { Answers } from '../answers.ts';
import type { Commands } from '../ports.ts';
import { COMMANDS } from '../tokens.ts';

@ApiTags('environments')
@Controller('api/v1/webhooks')
export class WebhooksController {
  constructor(@Inject(COMMANDS) private readonly commands: Commands) {}

  @Post('git')
  // Who sends it has no token; the body is read as it came, because the proof is about its bytes.
  @RouteConfig({ open: true, raw: 'json' })
  @HttpCode(204)
  @Answers(204, 'A push hook of GitHub, GitLab or Gitea: whoever follows that branch looks at once.', null)
  receivePush(
    @Body() body: unknown,
    @Headers('x-hub-signature-256') signature: string | undefined,
    @Headers('x-gitlab-token') token: string | undefined,
  ): Promise<void> {
    return this.commands.receivePush(typeof body === 'string' ? body : '', { signature, token });
  }
}
