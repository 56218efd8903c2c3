import { z } from 'zod';
import { SluiceError } from '#core';
import { projectOf } from '#release';

/** What a push hook tells of the push; the commit itself is asked for where the repository is. */
export interface Push {
  /** `refs/heads/main`. */
  readonly ref: string;
  /** `team/repo`; null: it does not say. */
  readonly project: string | null;
}

const hook = z.object({
  ref: z.string().max(500),
  /** GitHub and what is like it. */
  repository: z.object({ full_name: z.string().max(500).optional() }).optional(),
  /** GitLab. */
  project: z.object({ path_with_namespace: z.string().max(500).optional() }).optional(),
});

/** Null: it tells of something else, such as that the webhook was made. Throws `bad_request` for what is no JSON. */
export function readPush(body: string): Push | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new SluiceError('bad_request', 'The body of the webhook is not JSON.', {
      hint: 'Choose the content type application/json in the webhook.',
    });
  }
  const read = hook.safeParse(value);
  if (!read.success) return null;
  const { ref, repository, project } = read.data;
  return { ref, project: project?.path_with_namespace ?? repository?.full_name ?? null };
}

/** False when what is followed is surely something else. Hosts are not compared: inside they often have another name. */
export function isMeant(push: Push, followed: { readonly remote: string; readonly ref: string }): boolean {
  const { ref } = followed;
  if (![ref, `refs/heads/${ref}`, `refs/tags/${ref}`].includes(push.ref)) return false;
  const [there, here] = [push.project, projectOf(followed.remote)].map((name) => name?.toLowerCase());
  // A folder may be a copy of anything; a host may keep its projects below a path.
  return there === undefined || here === undefined || here === there || here.endsWith(`/${there}`);
}
