import { useNavigate } from '@tanstack/react-router';
import { IconArrowBackUp, IconDots, IconHandStop, IconSnowflake } from '@tabler/icons-react';
import type { PromotionStand } from '#contracts';
import { IconButton } from '../parts/icon-button.tsx';
import { Menu, type MenuEntry } from '../parts/menu.tsx';
import { useMay } from '../promotion/use-may.ts';
import type { StandAct } from './stand-dialog.tsx';

interface ColumnMenuProps {
  readonly stand: PromotionStand;
  readonly onAct: (act: StandAct) => void;
}

/** What may be done to an environment besides promoting to it. */
export function ColumnMenu({ stand, onAct }: ColumnMenuProps) {
  const { environment, current, earlier } = stand;
  const navigate = useNavigate();
  const mayPromote = useMay('promote', environment);
  const mayConfigure = useMay('configure', environment);
  const entries: MenuEntry[] = [
    { kind: 'label', text: environment },
    {
      kind: 'item',
      key: 'roll back',
      testId: `roll-back-${environment}`,
      left: <IconArrowBackUp size={15} />,
      content: earlier === null ? 'Nothing to roll back to' : `Roll back to ${earlier.alias}`,
      disabled: earlier === null || !mayPromote,
      onClick: () =>
        void navigate({
          to: '/environments',
          search: { plan: earlier?.digest, to: environment, kind: 'rollback' },
        }),
    },
    {
      kind: 'item',
      key: 'hold',
      testId: `hold-${environment}`,
      left: <IconHandStop size={15} />,
      content: 'Hold a release …',
      disabled: !mayConfigure,
      onClick: () => onAct({ kind: 'hold', release: current?.alias ?? '' }),
    },
    {
      kind: 'item',
      key: 'freeze',
      testId: `freeze-${environment}`,
      left: <IconSnowflake size={15} />,
      content: 'Freeze …',
      disabled: !mayConfigure,
      onClick: () => onAct({ kind: 'freeze' }),
    },
  ];
  return (
    <Menu
      position="bottom-end"
      width={260}
      entries={entries}
      target={(props) => (
        <IconButton name={`Actions for ${environment}`} testId={`column-menu-${environment}`} {...props}>
          <IconDots size={17} />
        </IconButton>
      )}
    />
  );
}
