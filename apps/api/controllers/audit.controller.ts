import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '#core';
import { auditRecord, auditVerdict, type AuditRecordShape, type AuditVerdict } from '#contracts';
import { WhoAsks } from '../actor.ts';
import { Answers, pageOf } from '../answers.ts';
import { Needs, viewableBy } from '../needs.ts';
import { auditQuery } from '../parameters.ts';
import type { Page, Reads } from '../ports.ts';
import { READS } from '../tokens.ts';

@ApiTags('audit')
@Controller('api/v1/audit')
export class AuditController {
  constructor(@Inject(READS) private readonly reads: Reads) {}

  @Get()
  @Needs('view', 'query-or-any')
  @Answers(
    200,
    'Who did what, newest first; what belongs to no environment only for who may view all.',
    pageOf(auditRecord),
  )
  listAudit(
    @Query({ schema: auditQuery }) { env, limit, cursor }: z.infer<typeof auditQuery>,
    @WhoAsks() caller: Caller,
  ): Promise<Page<AuditRecordShape>> {
    const environments = env === undefined ? viewableBy(caller) : [env];
    return this.reads.audit({ environments, limit, cursor: cursor ?? null });
  }

  @Get('verify')
  @Needs('view', 'any')
  @Answers(200, 'Whether the trail is as it was written, or which is the first record that is not.', auditVerdict)
  verifyAudit(): Promise<AuditVerdict> {
    return this.reads.verifyAudit();
  }
}
