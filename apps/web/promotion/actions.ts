import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { PromotionDetail, PromotionStand } from '#contracts';
import type { DecisionRequest, FreezeRequest, PromotionRequest, RollbackRequest } from '#contracts/client';
import { part, post, remove } from '../api.ts';
import { tell, tellError } from '../parts/toasts.tsx';
import { boardQuery, promotionQuery } from './promotion-queries.ts';

type Asked =
  | ({ readonly kind: 'promote' | 'hotfix' } & Omit<PromotionRequest, 'kind'>)
  | ({ readonly kind: 'rollback' } & RollbackRequest);

/** Asks for a promotion or a rollback and opens it. Refusals are the caller's to show: they belong beside the plan. */
export function usePromote() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: ({ kind, ...body }: Asked) =>
      kind === 'rollback'
        ? post<PromotionDetail>('/rollbacks', body)
        : post<PromotionDetail>('/promotions', { ...body, kind }),
    onSuccess: async (promotion) => {
      client.setQueryData(promotionQuery(promotion.id).queryKey, promotion);
      void client.invalidateQueries({ queryKey: boardQuery.queryKey });
      await navigate({ to: '/promotions/$promotion', params: { promotion: promotion.id } });
    },
  });
}

/** What is done to a promotion answers with the promotion as it is then. */
function useChange<T>(id: string, refused: string, change: (given: T) => Promise<PromotionDetail>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (promotion) => {
      client.setQueryData(promotionQuery(id).queryKey, promotion);
      void client.invalidateQueries({ queryKey: boardQuery.queryKey });
    },
    onError: (error) => tellError(refused, error),
  });
}

export function useDecide(id: string) {
  return useChange(id, 'Not decided', (decision: DecisionRequest) =>
    post<PromotionDetail>(`/promotions/${part(id)}/approvals`, decision),
  );
}

export function useOverride(id: string) {
  return useChange(id, 'Not overridden', (given: { readonly gate: string; readonly reason: string }) =>
    post<PromotionDetail>(`/promotions/${part(id)}/overrides`, given),
  );
}

export function useCancelPromotion(id: string) {
  return useChange(id, 'Not cancelled', () => post<PromotionDetail>(`/promotions/${part(id)}/cancel`));
}

/** What is done to an environment answers with how it stands then; its column of the board is replaced. */
function useStand<T>(done: string, refused: string, change: (given: T) => Promise<PromotionStand>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (stand) => {
      tell(done);
      client.setQueryData(boardQuery.queryKey, (board) =>
        board === undefined
          ? board
          : { ...board, items: board.items.map((one) => (one.environment === stand.environment ? stand : one)) },
      );
    },
    onError: (error) => tellError(refused, error),
  });
}

export function useSetHold(environment: string) {
  return useStand('Held', 'Not held', (given: { readonly release: string; readonly reason: string }) =>
    post<PromotionStand>('/holds', { environment, ...given }),
  );
}

export function useLiftHold(environment: string) {
  return useStand('Hold lifted', 'Hold not lifted', (release: string) =>
    post<PromotionStand>('/holds/lift', { environment, release }),
  );
}

export function useAddFreeze(environment: string) {
  return useStand('Frozen', 'Not frozen', (given: Omit<FreezeRequest, 'environment'>) =>
    post<PromotionStand>('/freezes', { environment, ...given }),
  );
}

export function useLiftFreeze(environment: string) {
  return useStand('Freeze ended', 'Freeze not ended', (id: string) =>
    remove<PromotionStand>(`/environments/${part(environment)}/freezes/${part(id)}`),
  );
}
