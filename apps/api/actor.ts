import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Who asks, for people to read: there are no users yet, so it is the way by which the request came. */
export const Actor = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const { credential } = context.switchToHttp().getRequest<FastifyRequest>();
  return credential === 'cookie' ? 'the web view' : 'the API token';
});
