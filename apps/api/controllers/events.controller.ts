import { Controller, Headers, Inject, Query, Req, Sse, type MessageEvent } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import type { z } from 'zod';
import { liveEvent } from '#contracts';
import type { Auth } from '#platform';
import { Answers } from '../answers.ts';
import { Needs } from '../needs.ts';
import { eventsQuery } from '../parameters.ts';
import type { Events } from '../ports.ts';
import { eventStream, heartbeat, STREAM_LIMIT, whileCredentialsHold } from '../streams.ts';
import { AUTH, EVENTS } from '../tokens.ts';

@ApiTags('events')
@Controller('api/v1/events')
export class EventsController {
  constructor(
    @Inject(EVENTS) private readonly events: Events,
    @Inject(AUTH) private readonly auth: Auth,
  ) {}

  @Sse('', { maxPendingDataLength: STREAM_LIMIT })
  @Needs('view', 'topics')
  @Answers(200, 'Server-sent events; resumes by Last-Event-ID; `reset` means: fetch everything again.', liveEvent)
  followEvents(
    @Query({ schema: eventsQuery }) { topics }: z.infer<typeof eventsQuery>,
    @Headers('last-event-id') last: string | undefined,
    @Req() request: FastifyRequest,
  ): Observable<MessageEvent> {
    const stream = heartbeat(eventStream(this.events, topics.split(','), last ?? null));
    return whileCredentialsHold(stream, this.auth, request);
  }
}
