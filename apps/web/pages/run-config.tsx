import { lazy, Suspense } from 'react';
import type { RunDetail } from '#contracts';
import { KeyValues } from '../parts/key-values.tsx';
import { Card } from '../parts/page.tsx';

const SourceView = lazy(() => import('../source/source-view.tsx').then((file) => ({ default: file.SourceView })));

/** What this run is pinned to: its parameters and the pipeline's text in its release. */
export function RunConfig({ run }: { run: RunDetail }) {
  const values = {
    ...run.params,
  };
  return (
    <div style={{ display: 'grid', gap: 16 }}>
      <Card title="Parameters" id="config">
        <KeyValues values={values} empty="This run has no parameters." />
      </Card>
      <Card title="Pipeline file in this release">
        <Suspense fallback={null}>
          <SourceView text={run.source} problems={[]} />
        </Suspense>
      </Card>
    </div>
  );
}
