import { lazy, Suspense } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Board } from '../board/board.tsx';
import { ConfigCompare } from '../board/config-compare.tsx';
import { ENVIRONMENTS_TABS, type EnvironmentsTab } from '../router.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Notice } from '../parts/notice.tsx';
import { PageBody, PageHead } from '../parts/page.tsx';
import { useKeys } from '../parts/keys.ts';
import { TabCount, tabProps, Tabs } from '../parts/tabs.tsx';
import { boardQuery } from '../promotion/promotion-queries.ts';
import { PromotionList } from '../promotion/promotion-list.tsx';

const PlanDialog = lazy(() => import('../promotion/plan-dialog.tsx').then((file) => ({ default: file.PlanDialog })));
const route = getRouteApi('/environments');
const NAMES: Readonly<Record<EnvironmentsTab, string>> = {
  board: 'Board',
  promotions: 'Promotions',
  config: 'Configuration',
};

/** What is where, what may go where next, and what stands in the way. */
export function EnvironmentsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { tab = 'board', plan, to, kind = 'promote' } = search;
  const query = useQuery(boardQuery);
  const open = query.data?.items.reduce((sum, one) => sum + one.open.length, 0) ?? 0;
  const show = (change: Partial<typeof search>, replace = true) =>
    void navigate({ search: (old) => ({ ...old, ...change }), replace });
  useKeys(Object.fromEntries(ENVIRONMENTS_TABS.map((one, index) => [String(index + 1), () => show({ tab: one })])));
  return (
    <>
      <PageHead title="Environments" name="Environments">
        <Tabs label="Views of the environments">
          {ENVIRONMENTS_TABS.map((one) => (
            <Link key={one} to="/environments" search={{ tab: one }} replace {...tabProps(one, tab === one)}>
              {NAMES[one]}
              {one === 'promotions' && open > 0 && <TabCount>{open} open</TabCount>}
            </Link>
          ))}
        </Tabs>
      </PageHead>
      <PageBody>
        {tab === 'promotions' ? (
          <PromotionList filter={{ env: search.in, state: search.state }} onFilter={show} />
        ) : (
          <Loaded query={query} height={480}>
            {({ items }) =>
              items.length === 0 ? (
                <Notice
                  title="No environments"
                  hint={
                    <>
                      An environment is one file in <code>environments/</code>; <code>sluice init</code> writes dev,
                      test and prod.
                    </>
                  }
                />
              ) : tab === 'config' ? (
                <ConfigCompare stands={items} />
              ) : (
                <Board stands={items} />
              )
            }
          </Loaded>
        )}
      </PageBody>
      {plan !== undefined && to !== undefined && (
        <Suspense fallback={null}>
          <PlanDialog
            of={{ release: plan, environment: to, kind }}
            onChange={({ environment, kind: as }) => show({ to: environment ?? to, kind: as ?? kind })}
            onClose={() => show({ plan: undefined, to: undefined, kind: undefined })}
          />
        </Suspense>
      )}
    </>
  );
}
