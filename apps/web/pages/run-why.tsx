import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { RunDetail } from '#contracts';
import type { Page, WaitingReason } from '#contracts/client';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { isOver } from '../parts/state-look.ts';
import { readInstants } from '../parts/time-format.ts';
import { Ago } from '../parts/time.tsx';
import table from '../parts/table.module.css';

/** For everything that has not started: the rule that holds it, its place in the line and who is before it; and what the cache did. */
export function RunWhy({ run, query }: { run: RunDetail; query: UseQueryResult<Page<WaitingReason>> }) {
  return (
    <Loaded query={query}>
      {({ items }) =>
        items.length === 0 ? (
          <Notice
            title="Nothing waits"
            hint={isOver(run.state) ? 'This run has ended.' : 'Everything that could start has started.'}
          />
        ) : (
          <div className={table.frame}>
            <table className={table.table} data-testid="why">
              <thead>
                <tr>
                  <th>What</th>
                  <th>Rule</th>
                  <th>Why</th>
                  <th className={table.right}>Place</th>
                  <th>Should begin</th>
                  <th>Held by</th>
                </tr>
              </thead>
              <tbody>
                {items.map((one, index) => (
                  <tr key={index}>
                    <td className={`${table.tight} mono`}>{nameOf(run, one)}</td>
                    <td className={table.tight}>
                      <code className="mono">{one.rule}</code>
                    </td>
                    <td>{readInstants(one.text)}</td>
                    <td className={`${table.tight} ${table.right} num`}>
                      {one.position === null ? (
                        <span className="dim">–</span>
                      ) : one.position === 1 ? (
                        'next'
                      ) : (
                        one.position
                      )}
                    </td>
                    <td className={table.tight}>
                      {one.startsAt == null ? <span className="dim">–</span> : <Ago at={one.startsAt} />}
                    </td>
                    <td>
                      {one.holders.map((holder) => (
                        <Holder key={holder} holder={holder} />
                      ))}
                      {one.holders.length === 0 && <span className="dim">–</span>}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Loaded>
  );
}

function nameOf(run: RunDetail, one: WaitingReason): string {
  if (one.taskId === null) return 'this run';
  const key = run.taskRuns.find((each) => each.taskId === one.taskId && each.mapIndex === one.mapIndex)?.mapKey ?? '';
  return key === '' ? one.taskId : `${one.taskId} ${key}`;
}

/** `RUN/TASK` or `RUN`. */
function Holder({ holder }: { holder: string }) {
  const slash = holder.indexOf('/');
  const className = 'mono link';
  const style = { marginRight: 10 };
  if (slash < 0)
    return (
      <Link to="/runs/$run" params={{ run: holder }} className={className} style={style}>
        {holder}
      </Link>
    );
  return (
    <Link
      to="/runs/$run/tasks/$task"
      params={{ run: holder.slice(0, slash), task: holder.slice(slash + 1) }}
      className={className}
      style={style}
    >
      {holder}
    </Link>
  );
}
