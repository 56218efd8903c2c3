import { useQuery } from '@tanstack/react-query';
import { IconGitCompare } from '@tabler/icons-react';
import { Coded } from '../parts/notice.tsx';
import { driftQuery } from '../promotion/promotion-queries.ts';
import styles from './board.module.css';

/** What an environment has become beside git, releases and its file. */
export function Drift({ env }: { env: string }) {
  const items = useQuery(driftQuery(env)).data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <details className={styles.drift} data-testid={`drift-${env}`}>
      <summary>
        <IconGitCompare size={14} aria-hidden /> {items.length} {items.length === 1 ? 'difference' : 'differences'} from
        what it should be
      </summary>
      <ul>
        {items.map((one) => (
          <li key={`${one.kind} ${one.subject}`}>
            <span>
              <Coded text={one.text} />
            </span>
            <span className="dim">
              <Coded text={one.remedy} />
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
