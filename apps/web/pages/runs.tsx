import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Button, NativeSelect } from '@mantine/core';
import { RUN_STATES } from '#core';
import { pipelinesQuery, runsQuery } from '../queries.ts';
import { BulkBar } from '../acting/bulk-bar.tsx';
import { useSelection } from '../acting/use-selection.ts';
import { useEnv } from '../parts/environment.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { PageBody, PageHead } from '../parts/page.tsx';
import { StateIcon } from '../parts/state-icon.tsx';
import { lookOf } from '../parts/state-look.ts';
import { RunTable } from './run-table.tsx';
import styles from './runs.module.css';

const route = getRouteApi('/runs');

export function RunsPage() {
  const env = useEnv();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const query = useInfiniteQuery(runsQuery(env, search));
  const runs = query.data?.pages.flatMap((page) => page.items) ?? [];
  const selection = useSelection(runs.map(({ id }) => id));
  const pipelines = useQuery(pipelinesQuery(env)).data?.items ?? [];
  const chosen = new Set(search.state?.split(',') ?? []);
  const toggle = (state: string) => {
    const next = chosen.has(state) ? [...chosen].filter((one) => one !== state) : [...chosen, state];
    set({ state: next.length === 0 ? undefined : next.join(',') });
  };
  return (
    <>
      <PageHead
        title="Runs"
        name="Runs"
        actions={
          <NativeSelect
            size="xs"
            w={200}
            aria-label="Pipeline"
            data-filter
            data-testid="filter-pipeline"
            data={[
              { value: '', label: 'All pipelines' },
              ...pipelines.map((one) => ({ value: one.name, label: one.name })),
              ...(search.pipeline !== undefined && !pipelines.some((one) => one.name === search.pipeline)
                ? [{ value: search.pipeline, label: search.pipeline }]
                : []),
            ]}
            value={search.pipeline ?? ''}
            onChange={(event) => set({ pipeline: event.currentTarget.value || undefined })}
          />
        }
      >
        <div className={styles.filters} role="group" aria-label="States">
          {RUN_STATES.map((state) => (
            <button
              key={state}
              type="button"
              className={styles.chip}
              aria-pressed={chosen.has(state)}
              onClick={() => toggle(state)}
              data-testid={`filter-${state}`}
            >
              <StateIcon state={state} size={14} />
              {lookOf(state).label}
            </button>
          ))}
          {(search.state ?? search.pipeline) !== undefined && (
            <button
              type="button"
              className={styles.clear}
              onClick={() => set({ state: undefined, pipeline: undefined })}
            >
              Clear
            </button>
          )}
        </div>
      </PageHead>
      <PageBody>
        <Loaded query={query} height={480}>
          {() => {
            if (runs.length === 0)
              return search.state !== undefined || search.pipeline !== undefined ? (
                <Notice title="No run matches" hint="Take a filter away, or look at another environment." />
              ) : (
                <Notice
                  title={`No runs in ${env} yet`}
                  hint={
                    <>
                      <code>sluice run {pipelines[0]?.name ?? 'PIPELINE'}</code> starts one.
                    </>
                  }
                />
              );
            return (
              <>
                <BulkBar env={env} selection={selection} />
                <RunTable runs={runs} showPipeline={search.pipeline === undefined} selection={selection} />
                {query.hasNextPage && (
                  <div className={styles.more}>
                    <Button
                      variant="default"
                      loading={query.isFetchingNextPage}
                      onClick={() => void query.fetchNextPage()}
                    >
                      Older runs
                    </Button>
                  </div>
                )}
              </>
            );
          }}
        </Loaded>
      </PageBody>
    </>
  );
}
