import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type {
  AppliedConfiguration,
  AuditRecordShape,
  AuditVerdict,
  EnvironmentDiff,
  EnvironmentDrift,
  Promotion,
  PromotionDetail,
  PromotionPlan,
  PromotionStand,
  Release,
  ReleaseDetail,
  ReleaseDiff,
} from '#contracts';
import type { Page, PlanRequest } from '#contracts/client';
import { get, part, post } from '../api.ts';

// Reads about what is where and what may go where. Like those of queries.ts, their keys are what live-patch.ts makes stale.

/** Where every environment stands, in the order in which releases go through them. */
export const boardQuery = queryOptions({
  queryKey: ['board'],
  queryFn: ({ signal }) => get<Page<PromotionStand>>('/board', {}, signal),
});

export const promotionQuery = (id: string) =>
  queryOptions({
    queryKey: ['promotion', id],
    queryFn: ({ signal }) => get<PromotionDetail>(`/promotions/${part(id)}`, {}, signal),
  });

export interface PromotionsFilter {
  readonly env?: string | undefined;
  readonly release?: string | undefined;
  /** States joined by commas. */
  readonly state?: string | undefined;
}

export const promotionsQuery = (filter: PromotionsFilter, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ['promotions', filter, limit],
    queryFn: ({ signal, pageParam }) =>
      get<Page<Promotion>>('/promotions', { ...filter, limit, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

export type PlanOf = Pick<PlanRequest, 'environment'> & {
  readonly release: string;
  readonly kind: 'promote' | 'hotfix' | 'rollback';
};

/** A plan is of this moment: it is made again whenever somebody looks. */
export const planQuery = ({ environment, release, kind }: PlanOf) =>
  queryOptions({
    queryKey: ['plan', environment, release, kind],
    queryFn: () => post<PromotionPlan>('/plans', { environment, release, kind }),
    staleTime: 0,
  });

/** Releases of commits, newest first; `dirty`: those of working trees as well. */
export const releasesQuery = ({ dirty }: { readonly dirty: boolean }, limit = 50) =>
  infiniteQueryOptions({
    queryKey: ['releases', dirty, limit],
    queryFn: ({ signal, pageParam }) =>
      get<Page<Release>>(
        '/releases',
        { dirty: dirty ? undefined : 'false', limit, cursor: pageParam ?? undefined },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

export const releaseQuery = (release: string) =>
  queryOptions({
    queryKey: ['release', release],
    queryFn: ({ signal }) => get<ReleaseDetail>(`/releases/${part(release)}`, {}, signal),
  });

export const releaseDiffQuery = (from: string, to: string) =>
  queryOptions({
    queryKey: ['release-diff', from, to],
    queryFn: ({ signal }) => get<ReleaseDiff>(`/releases/${part(to)}/diff`, { from }, signal),
    // Releases never change.
    staleTime: Infinity,
  });

/** What the configuration of `to` has that `from` has not. */
export const environmentDiffQuery = (from: string, to: string) =>
  queryOptions({
    queryKey: ['environment-diff', from, to],
    queryFn: ({ signal }) => get<EnvironmentDiff>(`/environments/${part(from)}/diff`, { with: to }, signal),
    staleTime: 0,
  });

/** What was applied when, and by whom. */
export const configurationsQuery = (env: string) =>
  queryOptions({
    queryKey: ['configurations', env],
    queryFn: ({ signal }) =>
      get<{ readonly items: readonly AppliedConfiguration[] }>(
        `/environments/${part(env)}/configurations`,
        { limit: 20 },
        signal,
      ),
    staleTime: 0,
  });

/** Looks at git and at files: read again when somebody looks. */
export const driftQuery = (env: string) =>
  queryOptions({
    queryKey: ['drift', env],
    queryFn: ({ signal }) => get<EnvironmentDrift>(`/environments/${part(env)}/drift`, {}, signal),
    staleTime: 0,
  });

/** `env` absent: of all environments, and what belongs to none. */
export const auditQuery = (env: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['audit', env ?? null],
    queryFn: ({ signal, pageParam }) =>
      get<Page<AuditRecordShape>>('/audit', { env, limit: 100, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

/** Reads the whole trail: only when somebody looks at it. */
export const auditVerdictQuery = queryOptions({
  queryKey: ['audit-verdict'],
  queryFn: ({ signal }) => get<AuditVerdict>('/audit/verify', {}, signal),
  staleTime: 0,
});
