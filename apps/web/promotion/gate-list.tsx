import type { PromotionDetail } from '#contracts';
import { Until } from '../parts/until.tsx';
import { gateLook, gateRest, gateTitle, soakEnd } from './promotion-look.ts';
import { GateIcon } from './promotion-state.tsx';
import styles from './promotion.module.css';

/** Gates as ticks: what they are, how they stand, and how long a soak still takes. */
export function GateList({ gates }: { gates: PromotionDetail['gates'] }) {
  return (
    <ul className={styles.gates}>
      {gates.map((gate) => {
        const until = soakEnd(gate);
        return (
          <li key={gate.name} className={styles.gate} title={`${gate.name}: ${gate.detail}`} data-testid="gate">
            <GateIcon state={gate.state} size={14} />
            <span className="clip">
              {gateTitle(gate.kind)} <span className="dim">{gateRest(gate)}</span>
            </span>
            <span className={styles.gateState}>
              {until === null ? gateLook(gate.state).label : <Until at={until} />}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
