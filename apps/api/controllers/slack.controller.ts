import { Body, Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import { Answers } from '../answers.ts';
import type { FromSlack } from '../ports.ts';
import { SLACK } from '../tokens.ts';

@ApiTags('slack')
@Controller('api/v1/slack')
export class SlackController {
  constructor(@Inject(SLACK) private readonly slack: FromSlack) {}

  @Post('interactions')
  // The body is read as it came, because the signature is of its bytes.
  @RouteConfig({ open: true, raw: 'form' })
  @HttpCode(200)
  @Answers(200, 'Takes what people press in messages of Slack, which signs its requests.', null)
  receiveInteraction(
    @Body() body: unknown,
    @Headers('x-slack-signature') signature: string | undefined,
    @Headers('x-slack-request-timestamp') timestamp: string | undefined,
  ): Promise<void> {
    return this.slack.receive(typeof body === 'string' ? body : '', { signature, timestamp });
  }
}
