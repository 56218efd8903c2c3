import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Button } from '@mantine/core';
import { IconArrowRight, IconExternalLink } from '@tabler/icons-react';
import type { ReleaseDetail } from '#contracts';
import { RELEASE_TABS, type ReleaseTab } from '../router.tsx';
import { CopyId } from '../parts/copy-id.tsx';
import { shortDigest } from '../parts/digest.ts';
import { useKeys } from '../parts/keys.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Fact, Facts, PageBody, PageHead } from '../parts/page.tsx';
import { TabCount, tabProps, Tabs } from '../parts/tabs.tsx';
import { Ago } from '../parts/time.tsx';
import { boardQuery, releaseQuery } from '../promotion/promotion-queries.ts';
import { ReleaseChanges } from './release-changes.tsx';
import { ReleaseFiles } from './release-files.tsx';
import { ReleaseOverview } from './release-overview.tsx';
import styles from './releases.module.css';

const route = getRouteApi('/releases/$release');
const NAMES: Readonly<Record<ReleaseTab, string>> = { overview: 'Overview', changes: 'Changes', files: 'Files' };

export function ReleasePage() {
  const { release: ref } = route.useParams();
  const query = useQuery(releaseQuery(ref));
  return (
    <>
      {query.data === undefined && <PageHead title={shortDigest(ref)} name={`Release ${ref}`} />}
      <Loaded query={query} height={480} page>
        {(release) => <Shown release={release} />}
      </Loaded>
    </>
  );
}

function Shown({ release }: { release: ReleaseDetail }) {
  const { tab = 'overview' } = route.useSearch();
  const navigate = route.useNavigate();
  const first = useQuery(boardQuery).data?.items[0]?.environment;
  useKeys(
    Object.fromEntries(
      RELEASE_TABS.map((one, index) => [
        String(index + 1),
        () => void navigate({ search: (old) => ({ ...old, tab: one }), replace: true }),
      ]),
    ),
  );
  return (
    <>
      <PageHead
        name={release.alias}
        above={[
          <Link key="releases" to="/releases" className="link">
            Releases
          </Link>,
        ]}
        title={release.alias}
        beside={
          <>
            <CopyId id={release.digest} shown={shortDigest(release.digest)} />
            {release.dirty && <span>holds files that are not committed</span>}
          </>
        }
        actions={
          first !== undefined &&
          !release.dirty && (
            <Button
              rightSection={<IconArrowRight size={15} />}
              renderRoot={(props: Record<string, unknown>) => (
                <Link to="/environments" search={{ plan: release.digest, to: first }} {...props} />
              )}
              data-testid="promote"
            >
              Promote
            </Button>
          )
        }
      >
        {release.message !== null && <p className={styles.message}>{release.message}</p>}
        <Provenance release={release} />
        <Tabs label="Views of this release">
          {RELEASE_TABS.map((one) => (
            <Link
              key={one}
              to="/releases/$release"
              params={{ release: release.digest }}
              search={{ tab: one }}
              replace
              {...tabProps(one, tab === one)}
            >
              {NAMES[one]}
              {one === 'files' && <TabCount>{release.files.length}</TabCount>}
            </Link>
          ))}
        </Tabs>
      </PageHead>
      <PageBody>
        {tab === 'overview' && <ReleaseOverview release={release} />}
        {tab === 'changes' && <ReleaseChanges release={release} />}
        {tab === 'files' && <ReleaseFiles files={release.files} />}
      </PageBody>
    </>
  );
}

/** Where it came from. */
function Provenance({ release }: { release: ReleaseDetail }) {
  const { commit, branch, author, createdAt, buildUrl } = release;
  return (
    <Facts>
      <Fact label="Commit">
        {commit === null ? (
          <span className="dim">none: a working tree</span>
        ) : (
          <CopyId id={commit} shown={commit.slice(0, 12)} />
        )}
      </Fact>
      {branch !== null && <Fact label="Branch">{branch}</Fact>}
      {author !== null && <Fact label="Author">{author}</Fact>}
      <Fact label="Created">
        <Ago at={createdAt} />
      </Fact>
      {buildUrl !== null && (
        <Fact label="Build">
          <a href={buildUrl} className="link" rel="noreferrer" target="_blank">
            {new URL(buildUrl).host} <IconExternalLink size={14} aria-label="opens elsewhere" />
          </a>
        </Fact>
      )}
    </Facts>
  );
}
