import { Controller, Headers, Inject, Query, Sse, type MessageEvent } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import type { z } from 'zod';
import { liveEvent } from '#contracts';
import { Answers } from '../answers.ts';
import { Needs } from '../needs.ts';
import { eventsQuery } from '../parameters.ts';
import type { Events } from '../ports.ts';
import { eventStream, heartbeat, STREAM_LIMIT } from '../streams.ts';
import { EVENTS } from '../tokens.ts';

@ApiTags('events')
@Controller('api/v1/events')
export class EventsController {
  constructor(@Inject(EVENTS) private readonly events: Events) {}

  @Sse('', { maxPendingDataLength: STREAM_LIMIT })
  @Needs('view', 'topics')
  @Answers(200, 'Server-sent events; resumes by Last-Event-ID; `reset` means: fetch everything again.', liveEvent)
  followEvents(
    @Query({ schema: eventsQuery }) { topics }: z.infer<typeof eventsQuery>,
    @Headers('last-event-id') last: string | undefined,
  ): Observable<MessageEvent> {
    return heartbeat(eventStream(this.events, topics.split(','), last ?? null));
  }
}
