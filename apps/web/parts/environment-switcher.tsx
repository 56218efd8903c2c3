import { UnstyledButton } from '@mantine/core';
import { IconCheck, IconSelector } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { EnvironmentMark } from './environment-mark.tsx';
import { useEnvironments } from './environment.ts';
import { Menu, type MenuEntry } from './menu.tsx';
import { Release } from './release.tsx';
import styles from './environment-switcher.module.css';

/** Every page below shows this one environment. Switching keeps the page where that makes sense and leaves runs, which belong to one environment. */
export function EnvironmentSwitcher({ env }: { env: string }) {
  const environments = useEnvironments();
  const navigate = useNavigate();
  const current = environments.find((one) => one.name === env);
  const choose = (name: string) =>
    void navigate({
      to: location.pathname.startsWith('/runs/') ? '/runs' : '.',
      search: (old) => ({ ...old, env: name }),
    });
  const entries: MenuEntry[] = [
    { kind: 'label', text: environments.length === 0 ? 'No environments in environments/' : 'Environment' },
    ...environments.map((one) => ({
      kind: 'item' as const,
      key: one.name,
      testId: `environment-${one.name}`,
      onClick: () => choose(one.name),
      left: <EnvironmentMark env={one.name} />,
      right: one.name === env ? <IconCheck size={15} aria-label="current" /> : null,
      content: (
        <span className={styles.text}>
          <span className={styles.name}>{one.name}</span>
          <span className={styles.more}>
            {one.schedules === 'active' ? 'schedules active' : 'schedules paused'} ·{' '}
            <Release digest={one.release} dirty={one.dirty} plain />
            {one.follow !== null && (one.follow.problem === null ? ' · follows git' : ' · newest commit not running')}
          </span>
        </span>
      ),
    })),
  ];
  return (
    <Menu
      position="bottom-start"
      width={280}
      entries={entries}
      target={(props) => (
        <UnstyledButton
          className={styles.button}
          data-testid="environment"
          aria-label={`Environment ${env}. Change`}
          {...props}
        >
          <EnvironmentMark env={env} />
          <span className={styles.text}>
            <span className={styles.name}>{env}</span>
            <span className={styles.more}>
              {current === undefined ? 'Sluice' : <Release digest={current.release} dirty={current.dirty} plain />}
            </span>
          </span>
          <IconSelector size={15} aria-hidden className={styles.arrow} />
        </UnstyledButton>
      )}
    />
  );
}
