import { useQuery } from '@tanstack/react-query';
import type { PromotionDetail } from '#contracts';
import { meQuery } from '../queries.ts';
import { myApproval } from './my-approval.ts';
import { boardQuery } from './promotion-queries.ts';

/** Promotions, in any environment, that wait for an approval that the reader of this page may give. */
export function useMyApprovals(): readonly PromotionDetail[] {
  const me = useQuery(meQuery).data;
  const stands = useQuery(boardQuery).data?.items ?? [];
  if (me === undefined) return [];
  return stands
    .flatMap(({ open }) => open)
    .filter((one) => one.state === 'approval' && myApproval(one, me).kind === 'may');
}
