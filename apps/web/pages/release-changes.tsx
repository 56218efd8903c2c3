import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { NativeSelect } from '@mantine/core';
import type { PromotionStand, Release, ReleaseDetail, ReleaseDiff } from '#contracts';
import { shortDigest } from '../parts/digest.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { Card } from '../parts/page.tsx';
import table from '../parts/table.module.css';
import { formatBytes } from '../parts/number-format.ts';
import { ChangeMark, PipelineChanges } from '../promotion/pipeline-changes.tsx';
import { boardQuery, releaseDiffQuery, releasesQuery } from '../promotion/promotion-queries.ts';
import styles from './releases.module.css';

const route = getRouteApi('/releases/$release');

/** What a release has that another one has not: pipelines by meaning, files by content. */
export function ReleaseChanges({ release }: { release: ReleaseDetail }) {
  const navigate = route.useNavigate();
  const stands = useQuery(boardQuery).data?.items ?? [];
  const newest = useInfiniteQuery(releasesQuery({ dirty: false }));
  const releases = (newest.data?.pages ?? []).flatMap((page) => page.items);
  const from = route.useSearch().from ?? before(release, releases, stands);
  return (
    <div className={styles.page}>
      <div className={styles.compare}>
        <NativeSelect
          size="xs"
          w={360}
          label="Compared with"
          data={choices(release, releases, stands, from)}
          value={from ?? ''}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            void navigate({ search: (old) => ({ ...old, from: chosen || undefined }), replace: true });
          }}
          data-testid="compare-with"
        />
      </div>
      {from === undefined ? (
        <Notice title="Nothing to compare with" hint="This is the only release there is." />
      ) : (
        <Changes from={from} to={release.digest} />
      )}
    </div>
  );
}

/** The release before it, else what some environment runs. */
function before(
  { digest, createdAt }: ReleaseDetail,
  releases: readonly Release[],
  stands: readonly PromotionStand[],
): string | undefined {
  const older = releases.find((one) => one.digest !== digest && one.createdAt <= createdAt);
  return older?.digest ?? stands.find(({ current }) => current !== null && current.digest !== digest)?.current?.digest;
}

function choices(
  { digest }: ReleaseDetail,
  releases: readonly Release[],
  stands: readonly PromotionStand[],
  from: string | undefined,
) {
  const running = stands.flatMap(({ environment, current }) =>
    current === null || current.digest === digest
      ? []
      : [{ value: current.digest, label: `${environment}: ${current.alias} ${shortDigest(current.digest)}` }],
  );
  const seen = new Set(running.map(({ value }) => value));
  const others = releases
    .filter((one) => one.digest !== digest && !seen.has(one.digest))
    .map((one) => ({ value: one.digest, label: `${one.alias} ${shortDigest(one.digest)}` }));
  const known = from === undefined || [...running, ...others].some(({ value }) => value === from);
  return [
    ...(known ? [] : [{ value: from, label: shortDigest(from) }]),
    // Two environments may run the same.
    {
      group: 'What runs',
      items: running.filter((one, index) => running.findIndex(({ value }) => value === one.value) === index),
    },
    { group: 'Releases', items: others },
  ];
}

function Changes({ from, to }: { from: string; to: string }) {
  const query = useQuery(releaseDiffQuery(from, to));
  return (
    <Loaded query={query} height={300}>
      {({ pipelines, files }) =>
        pipelines.length + files.length === 0 ? (
          <Notice title="No difference" hint="Both hold the same files." />
        ) : (
          <>
            <Card title="Pipelines" beside={<span className="num">{pipelines.length}</span>} id="changes">
              <div className={styles.padded}>
                {pipelines.length === 0 ? (
                  <p className="dim">They mean the same; only files differ.</p>
                ) : (
                  <PipelineChanges pipelines={pipelines} />
                )}
              </div>
            </Card>
            <Files files={files} />
          </>
        )
      }
    </Loaded>
  );
}

function Files({ files }: { files: ReleaseDiff['files'] }) {
  return (
    <Card title="Files" beside={<span className="num">{files.length}</span>}>
      <div className={table.bare}>
        <table className={table.table} data-dense>
          <thead>
            <tr>
              <th>File</th>
              <th>Change</th>
              <th className={table.right}>Before</th>
              <th className={table.right}>After</th>
            </tr>
          </thead>
          <tbody>
            {files.map((one) => (
              <tr key={one.path}>
                <td className="mono">{one.path}</td>
                <td className={table.tight}>
                  <span className={styles.change}>
                    <ChangeMark kind={one.change} /> {one.change}
                  </span>
                </td>
                <td className={`${table.tight} ${table.right} ${styles.size}`}>
                  {one.before === null ? '–' : formatBytes(one.before.bytes)}
                </td>
                <td className={`${table.tight} ${table.right} ${styles.size}`}>
                  {one.after === null ? '–' : formatBytes(one.after.bytes)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
