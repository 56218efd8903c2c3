import { Body, Controller, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { SluiceError, type Caller } from '#core';
import {
  missingBlobsRequest,
  release,
  releaseDetail,
  releaseDiff,
  releaseRequest,
  releaseTests,
  releaseTestsRequest,
  type Release,
  type ReleaseDetail,
  type ReleaseDiff,
  type ReleaseTests,
} from '#contracts';
import { Actor, WhoAsks } from '../actor.ts';
import { Answers, pageOf } from '../answers.ts';
import { Needs, viewableBy } from '../needs.ts';
import { blobName, missingBlobs, releaseDiffQuery, releaseRef, releasesQuery } from '../parameters.ts';
import type { Commands, Page, Reads } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('releases')
@Controller('api/v1/releases')
export class ReleasesController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Get()
  @Needs('view', 'any')
  @Answers(200, 'Releases, newest first; `dirty=false`: only those of commits.', pageOf(release))
  listReleases(
    @Query({ schema: releasesQuery }) { dirty, limit, cursor }: z.infer<typeof releasesQuery>,
    @WhoAsks() caller: Caller,
  ): Promise<Page<Release>> {
    const kind = dirty === undefined ? null : dirty === 'true';
    return this.reads.releases({ dirty: kind, limit, cursor: cursor ?? null }, viewableBy(caller));
  }

  @Get(':release')
  @Needs('view', 'any')
  @Answers(200, 'One release by digest, at least six digits of it, or alias.', releaseDetail)
  getRelease(@Param('release', { schema: releaseRef }) ref: string, @WhoAsks() caller: Caller): Promise<ReleaseDetail> {
    return this.reads.releaseDetail(ref, viewableBy(caller));
  }

  @Get(':release/diff')
  @Needs('view', 'any')
  @Answers(200, 'What a release has that the release `from` has not, and the other way round.', releaseDiff)
  diffReleases(
    @Param('release', { schema: releaseRef }) ref: string,
    @Query({ schema: releaseDiffQuery }) { from }: z.infer<typeof releaseDiffQuery>,
    @WhoAsks() caller: Caller,
  ): Promise<ReleaseDiff> {
    return this.reads.releaseDiff(from, ref, viewableBy(caller));
  }

  @Post('missing-blobs')
  @HttpCode(200)
  @Needs('release', 'any')
  @Answers(200, 'Which contents have to be sent before a release can be created.', missingBlobs)
  async missingBlobs(
    @Body({ schema: missingBlobsRequest }) { blobs }: z.infer<typeof missingBlobsRequest>,
  ): Promise<{ missing: string[] }> {
    return { missing: await this.commands.missingBlobs(blobs) };
  }

  @Put('blobs/:sha256')
  @HttpCode(204)
  @Needs('release', 'any')
  @ApiConsumes('application/octet-stream')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @Answers(204, 'Keeps a content for a release that follows; its hash has to be what the address says.', null)
  async putBlob(@Param('sha256', { schema: blobName }) sha256: string, @Body() content: unknown): Promise<void> {
    if (!Buffer.isBuffer(content))
      throw new SluiceError(
        'bad_request',
        'A content has to be sent as it is (content-type: application/octet-stream).',
      );
    await this.commands.putBlob(sha256, content);
  }

  @Post()
  @Needs('release', 'any')
  @Answers(201, 'Creates a release of a commit, or returns the one with the same content.', release)
  async createRelease(
    @Body({ schema: releaseRequest }) request: z.infer<typeof releaseRequest>,
    @Actor() actor: string,
    @WhoAsks() caller: Caller,
  ): Promise<Release> {
    return this.reads.release(await this.commands.createRelease(request, actor), viewableBy(caller));
  }

  @Post(':release/tests')
  @Needs('release', 'any')
  @Answers(201, 'Records what `sluice test` came to on the files of a release; the newest counts.', releaseTests)
  async recordTests(
    @Param('release', { schema: releaseRef }) ref: string,
    @Body({ schema: releaseTestsRequest }) request: z.infer<typeof releaseTestsRequest>,
    @Actor() actor: string,
  ): Promise<ReleaseTests> {
    await this.commands.recordTests(ref, request, actor);
    return this.reads.releaseTests(ref);
  }
}
