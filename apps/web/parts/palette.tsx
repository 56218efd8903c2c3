import { useEffect } from 'react';
import { Spotlight, createSpotlight, type SpotlightActionData } from '@mantine/spotlight';
import '@mantine/spotlight/styles.css';
import { useMantineColorScheme } from '@mantine/core';
import { IconChartLine, IconListDetails, IconMoon, IconRoute, IconServer2, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { pipelinesQuery } from '../queries.ts';
import { formatInstant } from './time-format.ts';
import { lookOf } from './state-look.ts';
import { useEnvironments } from './environment.ts';
import { StateIcon } from './state-icon.tsx';

const [store, spotlight] = createSpotlight();

/** Go anywhere by name: pages, pipelines and their tabs, their newest runs, environments. */
export function Palette({ env, onClose }: { env: string; onClose: () => void }) {
  const navigate = useNavigate();
  const pipelines = useQuery(pipelinesQuery(env)).data?.items ?? [];
  const environments = useEnvironments();
  const { setColorScheme } = useMantineColorScheme();
  useEffect(() => {
    spotlight.open();
  }, []);

  const actions: SpotlightActionData[] = [
    ...(['/', '/pipelines', '/runs', '/environments', '/releases', '/alerts', '/audit', '/system'] as const).map(
      (to) => ({
        id: `page ${to}`,
        label: to === '/' ? 'Today' : to.slice(1).replace(/^./, (letter) => letter.toUpperCase()),
        group: 'Pages',
        leftSection: <IconServer2 size={16} stroke={1.6} />,
        onClick: () => void navigate({ to }),
      }),
    ),
    ...pipelines.flatMap((one) => [
      {
        id: `pipeline ${one.name}`,
        label: one.name,
        description: one.description,
        group: 'Pipelines',
        leftSection: <IconRoute size={16} stroke={1.6} />,
        onClick: () => void navigate({ to: '/pipelines/$pipeline/grid', params: { pipeline: one.name } }),
      },
      {
        id: `metrics ${one.name}`,
        label: `${one.name}: metrics`,
        group: 'Pipelines',
        leftSection: <IconChartLine size={16} stroke={1.6} />,
        onClick: () => void navigate({ to: '/pipelines/$pipeline/metrics', params: { pipeline: one.name } }),
      },
      {
        id: `runs ${one.name}`,
        label: `${one.name}: runs`,
        group: 'Pipelines',
        leftSection: <IconListDetails size={16} stroke={1.6} />,
        onClick: () => void navigate({ to: '/runs', search: { pipeline: one.name } }),
      },
    ]),
    ...pipelines.flatMap((one) =>
      one.lastRuns
        .slice(-5)
        .reverse()
        .map((run) => ({
          id: `run ${run.id}`,
          label: `${one.name} ${run.intervalStart === null ? '' : formatInstant(run.intervalStart)}`,
          description: `${run.id}, ${lookOf(run.state).label}`,
          group: 'Newest runs',
          leftSection: <StateIcon state={run.state} size={16} />,
          onClick: () => void navigate({ to: '/runs/$run', params: { run: run.id } }),
        })),
    ),
    ...environments.map((one) => ({
      id: `environment ${one.name}`,
      label: `Switch to ${one.name}`,
      group: 'Environments',
      onClick: () => void navigate({ to: '/', search: { env: one.name } }),
    })),
    ...(['light', 'dark', 'auto'] as const).map((scheme) => ({
      id: `colours ${scheme}`,
      label: `Colours: ${scheme === 'auto' ? 'as the system' : scheme}`,
      group: 'View',
      leftSection: <IconMoon size={16} stroke={1.6} />,
      onClick: () => setColorScheme(scheme),
    })),
  ];
  return (
    <Spotlight
      store={store}
      actions={groups(actions)}
      nothingFound="Nothing by that name"
      highlightQuery
      scrollable
      maxHeight={420}
      limit={40}
      data-testid="palette"
      shortcut={null}
      overlayProps={{ blur: 1, backgroundOpacity: 0.4 }}
      radius={12}
      onSpotlightClose={onClose}
      transitionProps={{ duration: 0 }}
      searchProps={{
        leftSection: <IconSearch size={17} stroke={1.6} />,
        placeholder: 'Pipeline, run, page …',
        'aria-label': 'Search',
      }}
    />
  );
}

function groups(actions: SpotlightActionData[]) {
  const byName = new Map<string, SpotlightActionData[]>();
  for (const { group = '', ...action } of actions)
    byName.set(group, [...(byName.get(group) ?? []), action as SpotlightActionData]);
  return [...byName].map(([group, list]) => ({ group, actions: list }));
}
