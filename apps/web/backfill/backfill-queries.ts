import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { BackfillDetail, BackfillPlan, BackfillShape } from '#contracts';
import type { BackfillRequest, Page } from '#contracts/client';
import { get, part, post } from '../api.ts';
import { tell, tellError } from '../parts/toasts.tsx';

export const backfillsQuery = (env: string, pipeline: string) =>
  queryOptions({
    queryKey: ['backfills', env, pipeline],
    queryFn: ({ signal }) => get<Page<BackfillShape>>('/backfills', { env, pipeline, limit: 50 }, signal),
  });

export const backfillQuery = (env: string, pipeline: string, id: string) =>
  queryOptions({
    queryKey: ['backfills', env, pipeline, id],
    queryFn: ({ signal }) => get<BackfillDetail>(`/backfills/${part(id)}`, {}, signal),
  });

/** With `dryRun` nothing changes. Refusals are the caller's to show: they belong beside the form. */
export function useBackfill() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (request: BackfillRequest) => post<BackfillPlan>('/backfills', request),
    onSuccess: async ({ backfill }) => {
      if (backfill === null) return;
      tell(`Backfill ${backfill.id} created`, `${backfill.maxActive} of its runs at once, behind scheduled ones.`);
      await client.invalidateQueries({ queryKey: ['backfills', backfill.environment, backfill.pipeline] });
    },
  });
}

export function useMoveBackfill() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, verb }: { id: string; verb: 'pause' | 'resume' | 'cancel' }) =>
      post<BackfillShape>(`/backfills/${part(id)}/${verb}`),
    onSuccess: ({ environment, pipeline }) =>
      client.invalidateQueries({ queryKey: ['backfills', environment, pipeline] }),
    onError: (error) => tellError('Not done', error),
  });
}
