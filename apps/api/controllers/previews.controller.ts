import { Body, Controller, Delete, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { SluiceError } from '#core';
import { environment, previewRequest, type Environment } from '#contracts';
import { Actor } from '../actor.ts';
import { Answers } from '../answers.ts';
import { Needs } from '../needs.ts';
import { environmentName } from '../parameters.ts';
import type { Commands, Reads } from '../ports.ts';
import { COMMANDS, READS } from '../tokens.ts';

@ApiTags('environments')
@Controller('api/v1/previews')
export class PreviewsController {
  constructor(
    @Inject(READS) private readonly reads: Reads,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Post()
  @Needs('promote', 'body')
  @Answers(201, 'Makes a preview, or points it at another release and lets it live longer.', environment)
  async createPreview(
    @Body({ schema: previewRequest }) request: z.infer<typeof previewRequest>,
    @Actor() actor: string,
  ): Promise<Environment> {
    await this.commands.createPreview(request, actor);
    const made = (await this.reads.environments()).find(({ name }) => name === request.environment);
    if (made !== undefined) return made;
    throw new SluiceError('conflict', `The preview ${request.environment} was removed meanwhile.`);
  }

  @Delete(':environment')
  @HttpCode(204)
  @Needs('promote', 'path')
  @Answers(204, 'Ends a preview: its runs are cancelled, its data goes soon after.', null)
  async removePreview(
    @Param('environment', { schema: environmentName }) name: string,
    @Actor() actor: string,
  ): Promise<void> {
    await this.commands.removePreview(name, actor);
  }
}
