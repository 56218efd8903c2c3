import {
  IconBell,
  IconHistory,
  IconListDetails,
  IconPackage,
  IconRoute,
  IconSearch,
  IconServer2,
  IconStairsUp,
  IconSunHigh,
  type Icon,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMyApprovals } from '../promotion/use-my-approvals.ts';
import { pipelinesQuery } from '../queries.ts';
import styles from './navigation.module.css';

type Target = '/' | '/pipelines' | '/runs' | '/environments' | '/releases' | '/alerts' | '/audit' | '/system';
const PAGES: readonly { to: Target; name: string; icon: Icon }[] = [
  { to: '/', name: 'Today', icon: IconSunHigh },
  { to: '/pipelines', name: 'Pipelines', icon: IconRoute },
  { to: '/runs', name: 'Runs', icon: IconListDetails },
  { to: '/environments', name: 'Environments', icon: IconStairsUp },
  { to: '/releases', name: 'Releases', icon: IconPackage },
  { to: '/alerts', name: 'Alerts', icon: IconBell },
  { to: '/audit', name: 'Audit', icon: IconHistory },
  { to: '/system', name: 'System', icon: IconServer2 },
];

export function Navigation({ env, onSearch }: { env: string; onSearch: () => void }) {
  const pipelines = useQuery(pipelinesQuery(env)).data?.items ?? [];
  const active = pipelines.reduce((sum, one) => sum + one.activeRuns, 0);
  const waiting = useMyApprovals().length;
  const broken = pipelines.filter((one) => one.problems.length > 0).length;
  return (
    <>
      <button type="button" className={styles.search} onClick={onSearch} title="Search" data-testid="search">
        <IconSearch size={15} aria-hidden />
        <span>Search</span>
        <kbd className={styles.key}>{/Mac|iP/.test(navigator.platform) ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      <nav className={styles.nav} aria-label="Pages">
        {PAGES.map(({ to, name, icon: Shape }) => (
          <Link
            key={to}
            to={to}
            className={styles.link}
            activeOptions={{ exact: to === '/', includeSearch: false }}
            data-testid={`nav-${name.toLowerCase()}`}
          >
            <Shape size={17} stroke={1.7} aria-hidden />
            <span>{name}</span>
            {name === 'Runs' && active > 0 && (
              <span className={styles.count} title={`${active} queued or running`}>
                {active}
              </span>
            )}
            {name === 'Environments' && waiting > 0 && (
              <span className={styles.count} data-tone="wait" title={`${waiting} wait for your approval`}>
                {waiting}
                <span className="sr-only"> wait for your approval</span>
              </span>
            )}
            {name === 'Pipelines' && broken > 0 && (
              <span className={styles.count} data-tone="bad" title={`${broken} with problems`}>
                {broken}
                <span className="sr-only"> with problems</span>
              </span>
            )}
          </Link>
        ))}
      </nav>
    </>
  );
}
