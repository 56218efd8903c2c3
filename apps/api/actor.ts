import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { SluiceError, type Caller } from '#core';

/** Who asks, with groups and rights. Only on routes that demand credentials. */
export const WhoAsks = createParamDecorator((_: unknown, context: ExecutionContext): Caller => callerOf(context));

/** The same for people to read: the token's name, or by which way the installation's own token came. */
export const Actor = createParamDecorator((_: unknown, context: ExecutionContext): string => callerOf(context).name);

export function callerOf(context: ExecutionContext): Caller {
  const { credential } = context.switchToHttp().getRequest<FastifyRequest>();
  if (credential === null) throw new SluiceError('internal', 'an open route asked who its caller is');
  return credential.caller;
}
