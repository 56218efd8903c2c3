import type { PromotionState } from './promotion.ts';

/** What a build is told that waits for a promotion at an `input`. */
export type InputAnswer = 'proceed' | 'abort';

/**
 * Null while there is nothing to say. Also a build whose promotion failed goes on: it asks for the promotion, and reports
 * what became of it. Where somebody decided against it, there is nothing to report, as after a rejection in the build itself.
 */
export function inputAnswer(state: PromotionState): InputAnswer | null {
  switch (state) {
    case 'queued':
    case 'gates':
    case 'approval':
      return null;
    case 'window':
    case 'verifying':
    case 'verified':
    case 'failed':
    case 'rolled_back':
      return 'proceed';
    case 'rejected':
    case 'expired':
    case 'superseded':
    case 'cancelled':
      return 'abort';
  }
}

/** Results of builds that somebody or something stopped: a rejection, a newer build that overtook it, a time limit. */
const STOPPED = ['ABORTED', 'NOT_BUILT'];

/** Nobody goes on with what a stopped build asked for; one that failed may be started again. */
export function isStoppedBuild(result: string): boolean {
  return STOPPED.includes(result);
}

/**
 * The address of a build below that of its server, with a slash at the end; null when it is elsewhere. Compared as
 * browsers and servers read addresses, so that neither dots nor credentials lead to another place.
 */
export function buildBelow(server: string, build: string): string | null {
  if (!URL.canParse(server) || !URL.canParse(build)) return null;
  const [root, url] = [new URL(withSlash(server)), new URL(withSlash(build))];
  const plain = url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  // What is encoded here may be decoded on the way, `%2e%2e%2f` and `%5c` among it.
  const isBelow = url.pathname.startsWith(root.pathname) && !/%(2e|2f|5c)/i.test(url.pathname);
  return plain && isBelow && url.origin === root.origin ? url.href : null;
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
