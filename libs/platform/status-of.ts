import { SluiceError } from '#core';

/** Status that an address answers a GET with. Redirects are answers too: what is asked is what the environment file names. */
export async function statusOf(url: string, timeoutMs: number): Promise<number> {
  const answer = fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
  const response = await answer.catch((cause: unknown) => {
    throw new SluiceError('unavailable', `${url} gave no answer within ${timeoutMs} ms.`, { cause });
  });
  await response.body?.cancel();
  return response.status;
}
