import { useState } from 'react';
import { Link } from '@tanstack/react-router';
import { Button } from '@mantine/core';
import type { PromotionDetail } from '#contracts';
import { Card } from '../parts/page.tsx';
import { Ago } from '../parts/time.tsx';
import { readInstants } from '../parts/time-format.ts';
import { Until } from '../parts/until.tsx';
import { useOverride } from './actions.ts';
import { GateEvidence } from './gate-evidence.tsx';
import { gateLook, gateRest, gateTitle, isBeforeSwitch, soakEnd } from './promotion-look.ts';
import { GateIcon } from './promotion-state.tsx';
import { ReasonDialog } from './reason-dialog.tsx';
import { useMay } from './use-may.ts';
import styles from './gates.module.css';

type Gate = PromotionDetail['gates'][number];

/** Every gate with its answer and what the answer rests on. */
export function Gates({ promotion }: { promotion: PromotionDetail }) {
  const [overriding, setOverriding] = useState<Gate | null>(null);
  const may = useMay('override', promotion.environment) && isBeforeSwitch(promotion);
  const override = useOverride(promotion.id);
  return (
    <Card
      title="Gates"
      id="gates"
      beside={
        <Link to="/environments" search={{ tab: 'config' }} className="link">
          Rules of {promotion.environment}
        </Link>
      }
    >
      <ul>
        {promotion.gates.map((gate) => (
          <li key={gate.name} className={styles.gate} data-testid="gate" data-state={gate.state}>
            <GateHead gate={gate} onOverride={may && isOpen(gate) ? () => setOverriding(gate) : null} />
            <p className={styles.detail}>{readInstants(gate.detail)}</p>
            <GateEvidence gate={gate} environment={promotion.environment} />
          </li>
        ))}
      </ul>
      {overriding !== null && (
        <ReasonDialog
          title={`Override: ${gateTitle(overriding.kind)} ${gateRest(overriding)}`}
          action="Override the gate"
          tone="bad"
          pending={override.isPending}
          onClose={() => setOverriding(null)}
          onSubmit={(reason) =>
            override.mutate({ gate: overriding.name, reason }, { onSuccess: () => setOverriding(null) })
          }
        >
          <p>
            The promotion goes on as if the gate had been passed. Who overrode it, and why, is shown with it for ever.
          </p>
        </ReasonDialog>
      )}
    </Card>
  );
}

/** Overriding makes sense while there is no answer. */
function isOpen({ state }: Gate): boolean {
  return state === 'pending' || state === 'inconclusive';
}

function GateHead({ gate, onOverride }: { gate: Gate; onOverride: (() => void) | null }) {
  const until = soakEnd(gate);
  return (
    <div className={styles.head}>
      <GateIcon state={gate.state} size={17} />
      <span className={styles.title}>
        <b>{gateTitle(gate.kind)}</b> <span className="mono">{gateRest(gate)}</span>
      </span>
      <span className={styles.state} style={{ color: `var(--s-${gateLook(gate.state).tone}-fg)` }}>
        {gateLook(gate.state).label}
      </span>
      <span className={styles.when}>
        {until !== null ? <Until at={until} /> : gate.checkedAt === null ? null : <Ago at={gate.checkedAt} />}
      </span>
      {onOverride !== null && (
        <Button size="compact-xs" variant="default" onClick={onOverride} aria-label={`Override ${gate.name}`}>
          Override
        </Button>
      )}
    </div>
  );
}
