import { useCallback, useMemo, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Button, SegmentedControl } from '@mantine/core';
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import type { TaskState } from '#core';
import { gridQuery } from '../queries.ts';
import { useNow } from '../parts/clock.ts';
import { useEnv } from '../parts/environment.ts';
import { useKeys } from '../parts/keys.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { StateIcon } from '../parts/state-icon.tsx';
import { lookOf } from '../parts/state-look.ts';
import type { GridData } from './decode-grid.ts';
import { GridCanvas } from './grid-canvas.tsx';
import { GridPanel } from './grid-panel.tsx';
import { gridRows } from './grid-rows.ts';
import { move, placeOf, selOf, type Place } from './grid-shape.ts';
import styles from './grid.module.css';

const route = getRouteApi('/pipelines/$pipeline/grid');
const SIZES = ['25', '50', '100', '200'];
const FEW = 50;
const MANY = 200;
const LEGEND: readonly TaskState[] = [
  'success',
  'failed',
  'upstream_failed',
  'running',
  'queued',
  'waiting',
  'retrying',
  'skipped',
  'cancelled',
];

export function GridTab() {
  const env = useEnv();
  const { pipeline } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const few = useQuery({ ...gridQuery(env, pipeline, FEW, search.before), enabled: search.runs === undefined });
  const runs = search.runs ?? (isAllQueued(few.data) ? MANY : FEW);
  const query = useQuery(gridQuery(env, pipeline, runs, search.before));
  const set = (change: Partial<typeof search>) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace: true, resetScroll: false });
  return (
    <Loaded query={query} height={320}>
      {(grid) =>
        grid.runs.length === 0 ? (
          <Notice
            title="No runs yet"
            hint={
              <>
                <code>sluice run {pipeline}</code> starts one, or press <kbd>t</kbd>.
              </>
            }
          />
        ) : (
          <Grid
            grid={grid}
            sel={search.sel}
            onSel={(sel) => set({ sel })}
            size={
              <>
                <SegmentedControl
                  size="xs"
                  aria-label="How many runs"
                  data={SIZES}
                  value={String(runs)}
                  onChange={(value) => set({ runs: Number(value) })}
                />
                <Button.Group>
                  <Button
                    variant="default"
                    disabled={grid.before === null}
                    onClick={() => set({ before: grid.before ?? undefined, sel: undefined })}
                  >
                    Older
                  </Button>
                  <Button
                    variant="default"
                    disabled={search.before === undefined}
                    onClick={() => set({ before: undefined, sel: undefined })}
                  >
                    Newest
                  </Button>
                </Button.Group>
              </>
            }
          />
        )
      }
    </Loaded>
  );
}

function toggled(closed: ReadonlySet<string>, group: string): ReadonlySet<string> {
  return new Set(closed.has(group) ? [...closed].filter((other) => other !== group) : [...closed, group]);
}

/** A long catch-up queues everything at once; the runs that tell something are then further back. */
function isAllQueued(grid: GridData | undefined): boolean {
  return grid !== undefined && grid.before !== null && grid.runs[0]?.state === 'queued';
}

interface GridProps {
  readonly grid: GridData;
  readonly sel: string | undefined;
  readonly onSel: (sel: string | undefined) => void;
  readonly size: React.ReactNode;
}

function Grid({ grid, sel, onSel, size }: GridProps) {
  const navigate = useNavigate();
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => gridRows(grid, closed), [grid, closed]);
  const toggle = (group: string) => setClosed((old) => toggled(old, group));
  const selected = placeOf(grid, sel);
  const busy = grid.runs.some((run) => run.state === 'running');
  const now = useNow(busy ? 'ten_seconds' : 'still');
  const select = (place: Place) => onSel(selOf(grid, place));
  const open = useCallback(
    (place: Place) => {
      const run = grid.runs[place.run];
      const task = grid.tasks[place.task];
      if (run === undefined) return;
      void (task === undefined
        ? navigate({ to: '/runs/$run', params: { run: run.id } })
        : navigate({ to: '/runs/$run/tasks/$task', params: { run: run.id, task: task.id } }));
    },
    [grid, navigate],
  );
  const go = (event: KeyboardEvent) => {
    const from = selected ?? { run: grid.runs.length, task: -1 };
    const to =
      selected === null
        ? { run: grid.runs.length - 1, task: grid.tasks.length > 0 ? 0 : -1 }
        : move(from, event.key, grid, rows);
    if (to !== null) select(to);
  };
  useKeys({
    ...Object.fromEntries(
      ['h', 'j', 'k', 'l', '[', ']', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'].map((key) => [
        key,
        go,
      ]),
    ),
    Enter: (event) => {
      const target = event.target instanceof HTMLElement ? event.target.closest('a, button') : null;
      if (target instanceof HTMLElement) target.click();
      else if (selected !== null) open(selected);
    },
    Escape: () => onSel(undefined),
  });
  return (
    <div className={styles.tab} data-open={selected === null ? undefined : true}>
      <div className={styles.bar}>
        {size}
        <div className={styles.legend} aria-label="Marks">
          {LEGEND.map((state) => (
            <span key={state}>
              <StateIcon state={state} size={14} /> {lookOf(state).label}
            </span>
          ))}
          {grid.marks.size > 0 && (
            <span>
              <IconCircleCheck size={14} aria-hidden />
              <IconCircleX size={14} aria-hidden /> marked by a person
            </span>
          )}
        </div>
      </div>
      <GridCanvas
        grid={grid}
        rows={rows}
        onToggle={toggle}
        selected={selected}
        onSelect={select}
        onOpen={open}
        now={now}
      />
      {selected !== null && <GridPanel grid={grid} place={selected} onClose={() => onSel(undefined)} />}
    </div>
  );
}
