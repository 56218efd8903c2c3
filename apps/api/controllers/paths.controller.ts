import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
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
  resolvePath(@Query({ schema: pathQuery }) { env, ref, at }: z.infer<typeof pathQuery>): Promise<ResolvedPath> {
    const [pipeline = '', path = ''] = ref.split('.');
    return this.reads.path(env, pipeline, path, at === undefined ? null : new Date(at));
  }
}
