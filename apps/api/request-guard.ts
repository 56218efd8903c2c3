import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SluiceError } from '#core';
import type { Auth, Credential } from '#platform';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True: answers without credentials. Everything else demands them, unknown addresses too. */
    open?: boolean;
    /** What is handed over as the text that it is: a JSON body, or one of a form, which no other route takes. */
    raw?: 'json' | 'form';
  }
  interface FastifyRequest {
    /** What the caller showed; null on open routes. */
    credential: Credential | null;
  }
}

export interface GuardOptions {
  readonly auth: Auth;
  /** Lower-case host names, without port, that the Host header may carry besides loopback names and addresses. */
  readonly hosts: readonly string[];
}

/** Every request passes here before anything reads its body: name of the server, origin, credentials. Deny by default. */
export function guardRequests(server: FastifyInstance, { auth, hosts }: GuardOptions): void {
  const known = new Set(['localhost', ...hosts]);
  server.decorateRequest('credential', null);
  server.addHook('onRequest', async (request) => {
    const host = hostOf(request.headers.host);
    // A page of somebody's else can point its own name at 127.0.0.1 (DNS rebinding), but never make it an address.
    if (host === null || !(isIP(host.name) > 0 || known.has(host.name) || host.name.endsWith('.localhost')))
      throw refused(`The Host header ${JSON.stringify(request.headers.host ?? '')} is not a name of this server.`, {
        hint: 'Add the name to SLUICE_ALLOWED_HOSTS.',
      });
    const writes = request.method !== 'GET' && request.method !== 'HEAD';
    if (writes) checkOrigin(request, host.whole);
    if (request.routeOptions.config.open === true) return;

    const credential = await auth.identify(request.headers.authorization, request.headers.cookie);
    if (credential === null)
      throw refused('This needs the token of the server or a login.', {
        hint: 'Send `Authorization: Bearer TOKEN` (it stands in .sluice/server.json), or log in at /login.',
      });
    request.credential = credential;
    if (credential.kind === 'cookie') {
      const site = request.headers['sec-fetch-site'];
      if (site === 'cross-site' || site === 'same-site') throw refused('Requests from other sites are refused.');
      // A form or an image of another site cannot set this header.
      if (writes && request.headers['x-sluice'] === undefined)
        throw refused('A write with the login cookie needs the header X-Sluice.');
    }
  });
}

function checkOrigin(request: FastifyRequest, host: string): void {
  const origin = request.headers.origin;
  if (origin === undefined) return;
  const from = URL.canParse(origin) ? new URL(origin) : null;
  if (from === null || !/^https?:$/.test(from.protocol) || from.host.toLowerCase() !== host)
    throw refused(
      `Requests that change something may not come from the origin ${JSON.stringify(origin.slice(0, 200))}.`,
    );
}

/** The Host header in lower case: whole, and its name without port and brackets; null when it is missing or malformed. */
function hostOf(header: string | undefined): { whole: string; name: string } | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/.exec(header?.toLowerCase() ?? '');
  const name = match?.[1] ?? match?.[2];
  return match === null || name === undefined ? null : { whole: match[0], name: name.replace(/\.$/, '') };
}

function refused(message: string, options: { hint?: string } = {}): SluiceError {
  return new SluiceError('unauthorized', message, options);
}
