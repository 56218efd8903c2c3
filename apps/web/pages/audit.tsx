import { useState } from 'react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Button, NativeSelect } from '@mantine/core';
import { IconAlertHexagon, IconChevronDown, IconChevronRight, IconLink, IconLoader2 } from '@tabler/icons-react';
import type { AuditRecordShape } from '#contracts';
import { CopyId } from '../parts/copy-id.tsx';
import { EnvironmentMark } from '../parts/environment-mark.tsx';
import { useEnvironments } from '../parts/environment.ts';
import { KeyValues } from '../parts/key-values.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { PageBody, PageHead } from '../parts/page.tsx';
import table from '../parts/table.module.css';
import { Ago } from '../parts/time.tsx';
import state from '../parts/state.module.css';
import { auditQuery, auditVerdictQuery } from '../promotion/promotion-queries.ts';
import { AuditSubject, inShort } from './audit-subject.tsx';
import styles from './audit.module.css';

const route = getRouteApi('/audit');

/** Who did what, what was before and after, and whether the trail is as it was written. */
export function AuditPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const environments = useEnvironments();
  const query = useInfiniteQuery(auditQuery(search.in));
  return (
    <>
      <PageHead
        title="Audit"
        name="Audit"
        beside={<Verdict />}
        actions={
          <NativeSelect
            size="xs"
            w={190}
            aria-label="Environment"
            data-filter
            data={[{ value: '', label: 'All environments' }, ...environments.map(({ name }) => name)]}
            value={search.in ?? ''}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              void navigate({ search: (old) => ({ ...old, in: chosen || undefined }), replace: true });
            }}
            data-testid="filter-environment"
          />
        }
      />
      <PageBody>
        <Loaded query={query} height={480}>
          {({ pages }) => {
            const items = pages.flatMap((page) => page.items);
            if (items.length === 0) return <Notice title="Nothing is written down yet" />;
            return (
              <>
                <Trail records={items} />
                {query.hasNextPage && (
                  <div className={styles.more}>
                    <Button
                      variant="default"
                      loading={query.isFetchingNextPage}
                      onClick={() => void query.fetchNextPage()}
                    >
                      Older records
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

/** Each record covers the one before it, so that nothing is changed or taken out unnoticed. */
function Verdict() {
  const { data, isError } = useQuery(auditVerdictQuery);
  if (data === undefined)
    return (
      <span className={styles.verdict}>
        <IconLoader2 size={14} aria-hidden className={isError ? undefined : state.turning} />
        {isError ? 'the chain could not be checked' : 'checking the chain'}
      </span>
    );
  return data.whole ? (
    <span className={styles.verdict} data-whole="yes" title={`Last hash ${data.hash}`} data-testid="chain">
      <IconLink size={14} aria-hidden /> chain verified, {data.records.toLocaleString('en')} records
    </span>
  ) : (
    <span className={styles.verdict} data-whole="no" role="alert" data-testid="chain">
      <IconAlertHexagon size={14} aria-hidden /> chain broken at record {data.seq}: {data.reason}
    </span>
  );
}

function Trail({ records }: { records: readonly AuditRecordShape[] }) {
  const [opened, setOpened] = useState<number | null>(null);
  return (
    <div className={table.frame}>
      <table className={table.table} data-dense data-testid="audit">
        <thead>
          <tr>
            <th className={table.right}>#</th>
            <th>When</th>
            <th>Who</th>
            <th>Did</th>
            <th>In</th>
            <th>To</th>
            <th>What changed</th>
            <th>
              <span className="sr-only">More</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {records.map((one) => (
            <Row
              key={one.seq}
              record={one}
              open={opened === one.seq}
              onToggle={() => setOpened(opened === one.seq ? null : one.seq)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ record, open, onToggle }: { record: AuditRecordShape; open: boolean; onToggle: () => void }) {
  const { seq, at, actor, action, environment, detail } = record;
  const Arrow = open ? IconChevronDown : IconChevronRight;
  return (
    <>
      <tr data-link data-testid={`audit-${seq}`}>
        <td className={`${table.tight} ${table.right} num dim`}>{seq}</td>
        <td className={table.tight}>
          <Ago at={at} />
        </td>
        <td className={table.tight}>
          <b className={styles.actor}>{actor}</b>
        </td>
        <td className={table.tight}>
          <code className={styles.action}>{action}</code>
        </td>
        <td className={table.tight}>
          {environment === null ? (
            <span className="dim">–</span>
          ) : (
            <span className={styles.in}>
              <EnvironmentMark env={environment} size={17} /> {environment}
            </span>
          )}
        </td>
        <td className={table.tight}>
          <AuditSubject record={record} />
        </td>
        <td className={table.fill}>
          <span className="dim clip">{inShort(detail)}</span>
        </td>
        <td className={table.tight}>
          <button
            type="button"
            className={styles.toggle}
            aria-expanded={open}
            aria-label={`Record ${seq}`}
            onClick={onToggle}
          >
            <Arrow size={15} aria-hidden />
          </button>
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={8} className={styles.detail}>
            <KeyValues values={detail} empty="Nothing more is known." />
            <p className={styles.hashes}>
              hash <CopyId id={record.hash} shown={record.hash.slice(0, 12)} /> covers{' '}
              <CopyId id={record.previous} shown={record.previous.slice(0, 12)} />
            </p>
          </td>
        </tr>
      )}
    </>
  );
}
