import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Button, SegmentedControl } from '@mantine/core';
import type { Release } from '#contracts';
import { EnvironmentMark } from '../parts/environment-mark.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { PageBody, PageHead } from '../parts/page.tsx';
import table from '../parts/table.module.css';
import { Ago } from '../parts/time.tsx';
import { releasesQuery } from '../promotion/promotion-queries.ts';
import { ReleaseName } from '../promotion/release-name.tsx';
import styles from './releases.module.css';

const route = getRouteApi('/releases');

/** What was built, newest first, and where it runs. */
export function ReleasesPage() {
  const { all } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(releasesQuery({ dirty: all === '1' }));
  return (
    <>
      <PageHead
        title="Releases"
        name="Releases"
        actions={
          <SegmentedControl
            size="xs"
            aria-label="Which releases"
            data={[
              { value: 'commits', label: 'Of commits' },
              { value: 'all', label: 'Working trees too' },
            ]}
            value={all === '1' ? 'all' : 'commits'}
            onChange={(value) =>
              void navigate({ search: (old) => ({ ...old, all: value === 'all' ? '1' : undefined }), replace: true })
            }
          />
        }
      />
      <PageBody>
        <Loaded query={query} height={400}>
          {({ pages }) => {
            const items = pages.flatMap((page) => page.items);
            if (items.length === 0)
              return (
                <Notice
                  title="No release yet"
                  hint={
                    <>
                      <code>sluice release create</code> makes one of a commit, and so does your CI. What dev runs is
                      the working tree, under Working trees too.
                    </>
                  }
                />
              );
            return (
              <>
                <ReleaseTable releases={items} />
                {query.hasNextPage && (
                  <div className={styles.more}>
                    <Button
                      variant="default"
                      loading={query.isFetchingNextPage}
                      onClick={() => void query.fetchNextPage()}
                    >
                      Older releases
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

function ReleaseTable({ releases }: { releases: readonly Release[] }) {
  return (
    <div className={table.frame}>
      <table className={table.table} data-testid="releases">
        <thead>
          <tr>
            <th>Release</th>
            <th>Runs in</th>
            <th>Commit</th>
            <th>Message</th>
            <th>Branch</th>
            <th>Author</th>
            <th>Created</th>
            <th>
              <span className="sr-only">Compare</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {releases.map((one, index) => {
            const before = releases[index + 1];
            return (
              <tr key={one.digest} data-link data-testid={`release-${one.alias}`}>
                <td className={table.tight}>
                  <ReleaseName release={one} strong />
                </td>
                <td className={table.tight}>
                  <span className={styles.where}>
                    {one.environments.map((name) => (
                      <span key={name}>
                        <EnvironmentMark env={name} size={18} /> {name}
                      </span>
                    ))}
                    {one.environments.length === 0 && <span className="dim">–</span>}
                  </span>
                </td>
                <td className={`${table.tight} mono`}>
                  {one.commit === null ? <span className="dim">working tree</span> : one.commit.slice(0, 8)}
                </td>
                <td className={table.fill}>
                  <span className="clip" title={one.message ?? undefined}>
                    {one.message}
                  </span>
                </td>
                <td className={table.tight}>{one.branch ?? <span className="dim">–</span>}</td>
                <td className={table.tight} title={one.author ?? undefined}>
                  {one.author?.replace(/\s*<[^>]*>$/, '') ?? <span className="dim">–</span>}
                </td>
                <td className={table.tight}>
                  <Ago at={one.createdAt} />
                </td>
                <td className={table.tight}>
                  {before !== undefined && (
                    <Link
                      to="/releases/$release"
                      params={{ release: one.digest }}
                      search={{ tab: 'changes', from: before.digest }}
                      className="link dim"
                      aria-label={`Changes of ${one.alias} since ${before.alias}`}
                    >
                      changes
                    </Link>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
