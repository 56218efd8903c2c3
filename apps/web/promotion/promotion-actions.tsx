import { Button } from '@mantine/core';
import { IconArrowBackUp, IconBan } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { PromotionDetail } from '#contracts';
import { useCancelPromotion } from './actions.ts';
import { isBeforeSwitch } from './promotion-look.ts';
import { boardQuery } from './promotion-queries.ts';
import { useMay } from './use-may.ts';

/** Cancel before the switch; after it, back to what was verified before. */
export function PromotionActions({ promotion }: { promotion: PromotionDetail }) {
  const { id, environment, release } = promotion;
  const may = useMay('promote', environment);
  const cancel = useCancelPromotion(id);
  const stand = useQuery(boardQuery).data?.items.find((one) => one.environment === environment);
  if (!may) return null;
  if (isBeforeSwitch(promotion))
    return (
      <Button
        variant="default"
        leftSection={<IconBan size={15} />}
        loading={cancel.isPending}
        onClick={() => cancel.mutate(undefined)}
        data-testid="cancel"
      >
        Cancel
      </Button>
    );
  const earlier = stand?.earlier ?? null;
  if (stand?.current?.digest !== release.digest || earlier === null) return null;
  return (
    <Button
      variant="default"
      leftSection={<IconArrowBackUp size={15} />}
      renderRoot={(props: Record<string, unknown>) => (
        <Link to="/environments" search={{ plan: earlier.digest, to: environment, kind: 'rollback' }} {...props} />
      )}
      data-testid="roll-back"
    >
      Roll back to {earlier.alias}
    </Button>
  );
}
