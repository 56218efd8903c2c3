import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { quarantineOf } from '#core';
import { Answers } from '../answers.ts';
import { Needs } from '../needs.ts';
import { pathQuery } from '../parameters.ts';
import type { Reads, ResolvedPath } from '../ports.ts';
import { READS } from '../tokens.ts';

const resolvedPath = z.object({
  location: z.string(),
  folder: z.string().nullable(),
  version: z.string().nullable(),
  manifestHash: z.string().nullable(),
  runId: z.string().nullable(),
  publishedAt: z.string().nullable(),
});

@ApiTags('paths')
@Controller('api/v1/paths')
export class PathsController {
  constructor(@Inject(READS) private readonly reads: Reads) {}

  @Get()
  @Needs('view', 'query')
  @Answers(200, 'Where the data of `pipeline.path` lies, newest or of the interval that holds `at`.', resolvedPath)
  resolvePath(
    @Query({ schema: pathQuery }) { env, ref, at, quarantine }: z.infer<typeof pathQuery>,
  ): Promise<ResolvedPath> {
    const [pipeline = '', path = ''] = ref.split('.');
    const shown = quarantine === undefined ? path : quarantineOf(path);
    return this.reads.path(env, pipeline, shown, at === undefined ? null : new Date(at));
  }
}
