import { useQuery } from '@tanstack/react-query';
import { mayDo, type Right } from '#core';
import { meQuery } from '../queries.ts';

/** Whether the reader of this page has a right in an environment. Until that is known: no. */
export function useMay(right: Right, environment: string): boolean {
  const me = useQuery(meQuery).data;
  return me !== undefined && mayDo(me.rights, right, environment);
}
