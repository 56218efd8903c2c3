import { Body, Controller, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { SluiceError } from '#core';
import { eventOutcome, type EventOutcome } from '#contracts';
import { Actor } from '../actor.ts';
import { Answers } from '../answers.ts';
import { checkJson } from '../check-json.ts';
import { Needs } from '../needs.ts';
import { eventName, idempotencyKey, inEnvironment, recordId } from '../parameters.ts';
import type { Commands } from '../ports.ts';
import { COMMANDS } from '../tokens.ts';

@ApiTags('events')
@Controller('api/v1/events')
export class IncomingEventsController {
  constructor(@Inject(COMMANDS) private readonly commands: Commands) {}

  @Post(':name')
  @Needs('operate', 'query')
  // The body is read as it came, because a signature is of its bytes.
  @RouteConfig({ raw: 'json' })
  @HttpCode(202)
  @Answers(202, 'Starts what waits for this event; the same Idempotency-Key is the same event.', eventOutcome)
  receive(
    @Param('name', { schema: eventName }) name: string,
    @Query({ schema: inEnvironment }) { env: environment }: z.infer<typeof inEnvironment>,
    @Body() content: unknown,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
    @Actor() actor: string,
  ): Promise<EventOutcome> {
    const body = typeof content === 'string' ? content : '';
    const proof = { signature: headers['sluice-signature'], timestamp: headers['sluice-timestamp'] };
    const key = keyOf(headers['idempotency-key']);
    const sender = senderOf(headers['sluice-run']);
    return this.commands.receiveEvent({ environment, name, key, body, payload: payloadOf(body), proof, sender }, actor);
  }
}

function keyOf(written: string | undefined): string | null {
  if (written === undefined) return null;
  const key = idempotencyKey.safeParse(written);
  if (key.success) return key.data;
  throw new SluiceError('bad_request', `The header Idempotency-Key is not valid: ${key.error.issues[0]?.message}.`);
}

function senderOf(written: string | undefined): string | null {
  if (written === undefined) return null;
  const id = recordId.safeParse(written);
  if (id.success) return id.data;
  throw new SluiceError(
    'bad_request',
    `The header sluice-run is ${JSON.stringify(written.slice(0, 80))}; expected the id of a run.`,
  );
}

function payloadOf(body: string): unknown {
  if (body.trim() === '') return {};
  let payload: unknown;
  try {
    payload = JSON.parse(body);
  } catch {
    throw new SluiceError('bad_request', 'The body is not JSON.', { hint: 'Send the payload as application/json.' });
  }
  checkJson(payload);
  return payload;
}
