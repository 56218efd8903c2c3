import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { SegmentedControl, TextInput } from '@mantine/core';
import { IconFilter } from '@tabler/icons-react';
import type { PipelineSummary } from '#contracts';
import { pipelinesQuery } from '../queries.ts';
import { useEnv, useEnvironments } from '../parts/environment.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { PageBody, PageHead } from '../parts/page.tsx';
import { isBad } from '../parts/state-look.ts';
import { PipelineTable } from './pipeline-table.tsx';
import { ReleaseChips } from './release-chips.tsx';
import styles from './pipelines.module.css';

const route = getRouteApi('/pipelines');
const SHOW = [
  { value: 'all', label: 'All' },
  { value: 'attention', label: 'Need attention' },
  { value: 'active', label: 'Active' },
  { value: 'paused', label: 'Paused' },
];

export function PipelinesPage() {
  const env = useEnv();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(pipelinesQuery(env));
  const environments = useEnvironments();
  const set = (change: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  return (
    <>
      <PageHead
        title="Pipelines"
        name="Pipelines"
        beside={query.data && <span className="num">{query.data.items.length}</span>}
        actions={
          <>
            <SegmentedControl
              size="xs"
              data={SHOW}
              value={search.show ?? 'all'}
              onChange={(show) => set({ show: show === 'all' ? undefined : show })}
              aria-label="Which pipelines"
            />
            <TextInput
              size="xs"
              w={220}
              leftSection={<IconFilter size={14} />}
              placeholder="Name, tag, owner   /"
              aria-label="Filter pipelines"
              data-filter
              data-testid="filter"
              value={search.q ?? ''}
              onChange={(event) => set({ q: event.currentTarget.value || undefined })}
              onKeyDown={(event) => {
                if (event.key !== 'Escape') return;
                set({ q: undefined });
                event.currentTarget.blur();
              }}
            />
          </>
        }
      />
      <PageBody>
        <ReleaseChips environments={environments} shown={env} />
        <Loaded query={query} height={320}>
          {({ items }) => {
            const shown = items.filter((one) => matches(one, search));
            if (items.length === 0)
              return (
                <Notice
                  title={`No pipelines in ${env}`}
                  hint={
                    <>
                      A pipeline is one YAML file in <code>dags/</code>. <code>sluice init</code> writes a first one.
                    </>
                  }
                />
              );
            if (shown.length === 0) return <Notice title="No pipeline matches" hint="Press / and change the filter." />;
            return (
              <div className={styles.tables}>
                <PipelineTable
                  pipelines={shown}
                  onTag={(tag) => set({ tag: tag === search.tag ? undefined : tag })}
                  tag={search.tag}
                />
              </div>
            );
          }}
        </Loaded>
      </PageBody>
    </>
  );
}

function matches(
  one: PipelineSummary,
  by: { q?: string | undefined; show?: string | undefined; tag?: string | undefined },
): boolean {
  const last = one.lastRuns.at(-1);
  if (by.show === 'attention' && one.problems.length === 0 && !(last !== undefined && isBad(last.state))) return false;
  if (by.show === 'active' && one.activeRuns === 0) return false;
  if (by.show === 'paused' && !one.paused) return false;
  if (by.tag !== undefined && !one.tags.includes(by.tag)) return false;
  const text = [one.name, one.description, one.owner, ...one.tags].join(' ').toLowerCase();
  return (by.q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
