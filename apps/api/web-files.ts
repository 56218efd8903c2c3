import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { SluiceError } from '#core';

export interface WebFiles {
  /** Texts of the scripts inside index.html, for the content security policy. */
  readonly inlineScripts: readonly string[];
  /** Adds the routes: each file by its name, and index.html for the addresses of pages. */
  register(server: FastifyInstance): void;
}

/** The built web view in `folder`; without one (or without index.html in it) pages say that it is not built. */
export async function openWebFiles(folder: string | null): Promise<WebFiles> {
  const index = folder === null ? null : await readFile(join(folder, 'index.html'), 'utf8').catch(() => null);
  const inlineScripts = [...(index ?? '').matchAll(/<script(?![^>]*\ssrc=)[^>]*>([^]*?)<\/script>/gi)].map(
    (match) => match[1] ?? '',
  );
  return {
    inlineScripts,
    register(server) {
      // The files are public: they hold the program, never data.
      void server.register(async (scope) => {
        scope.addHook('onRoute', (route) => {
          route.config = { ...route.config, open: true };
        });
        // Without a wildcard each file is a route of its own: what is not listed at start cannot be asked for.
        if (folder !== null && index !== null)
          await scope.register(fastifyStatic, {
            root: folder,
            wildcard: false,
            index: false,
            cacheControl: false,
            setHeaders: (reply, path) =>
              void reply.header(
                'cache-control',
                path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
              ),
          });
        scope.get('/*', async (request, reply) => {
          if (!isPage(request.url, request.headers.accept))
            throw new SluiceError('not_found', 'There is nothing at this address.');
          if (index === null)
            throw new SluiceError('not_found', 'The web view is not built.', { hint: 'Run `npm run build`.' });
          return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(index);
        });
      });
    },
  };
}

/** Pages are what a browser navigates to: it accepts HTML, and the address is neither the API's nor a file's. */
function isPage(url: string, accept: string | undefined): boolean {
  const [path = '/'] = url.split(/[?#]/);
  const segments = path.split('/').filter(Boolean);
  const [first = ''] = segments;
  const elsewhere = /%|^(api|metrics|healthz|assets)$/i.test(first);
  return (accept ?? '').includes('text/html') && !elsewhere && path.length < 2000;
}
