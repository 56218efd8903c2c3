import type { FastifyInstance } from 'fastify';

/** Routes that may be sent more than the 1 MiB of all others, in bytes. A list of 50,000 files has some 12 MB. */
const LARGER: Readonly<Record<string, number>> = {
  'POST /api/v1/releases': 16 * 1024 * 1024,
  // Pipeline files that are no release yet.
  'POST /api/v1/plans': 16 * 1024 * 1024,
  'POST /api/v1/releases/missing-blobs': 8 * 1024 * 1024,
  // A push of many commits; one that is larger yet is seen at the next look at the remote.
  'POST /api/v1/webhooks/git': 4 * 1024 * 1024,
  // Results of many attempts at once; each may have 512 KiB of outputs and 10,000 metrics.
  'POST /api/v1/workers/reports': 16 * 1024 * 1024,
  // The largest file of a release.
  'PUT /api/v1/releases/blobs/:sha256': 64 * 1024 * 1024,
};

/** To be called before any route is added. */
export function limitBodies(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    const limit = LARGER[`${[route.method].flat()[0]} ${route.url}`];
    if (limit !== undefined) route.bodyLimit = limit;
  });
}
