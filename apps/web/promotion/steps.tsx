import { IconCheck, IconCircleDashed, IconLoader2, IconMinus, IconX, type Icon } from '@tabler/icons-react';
import type { PromotionDetail } from '#contracts';
import state from '../parts/state.module.css';
import { Ago } from '../parts/time.tsx';
import { promotionSteps, type PromotionStep } from './promotion-steps.ts';
import styles from './steps.module.css';

const ICONS: Readonly<Record<PromotionStep['state'], readonly [Icon, string]>> = {
  done: [IconCheck, 'done'],
  now: [IconLoader2, 'under way'],
  bad: [IconX, 'ended here'],
  todo: [IconCircleDashed, 'to come'],
  left_out: [IconMinus, 'not reached'],
};

/** The way of a promotion, with the time each step was done. */
export function Steps({ promotion }: { promotion: PromotionDetail }) {
  return (
    <ol className={styles.steps} data-testid="steps">
      {promotionSteps(promotion).map((step) => {
        const [Shape, text] = ICONS[step.state];
        return (
          <li key={step.name} className={styles.step} data-state={step.state}>
            <span className={styles.mark} title={text}>
              <Shape size={14} stroke={2.4} aria-hidden className={step.state === 'now' ? state.turning : undefined} />
              <span className="sr-only">{text}: </span>
            </span>
            <span className={styles.text}>
              <b>{step.name}</b>
              <span className={styles.detail} title={step.detail}>
                {step.detail}
              </span>
              {step.at !== null && (
                <span className={styles.at}>
                  <Ago at={step.at} />
                </span>
              )}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
