import { useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi, useLocation } from '@tanstack/react-router';
import { pipelineQuery } from '../queries.ts';
import { useEnv } from '../parts/environment.ts';
import { Card } from '../parts/page.tsx';
import { ProblemList } from '../parts/problem-list.tsx';
import { Release } from '../parts/release.tsx';
import { SourceView } from './source-view.tsx';
import styles from './source.module.css';

const route = getRouteApi('/pipelines/$pipeline/source');

/** The file as this environment's release holds it; `#L12` links to a line. */
export function SourceTab() {
  const env = useEnv();
  const { pipeline } = route.useParams();
  const navigate = route.useNavigate();
  const hash = useLocation({ select: (location) => location.hash });
  const detail = useSuspenseQuery(pipelineQuery(env, pipeline)).data;
  const line = /^L(\d+)$/.exec(hash)?.[1];
  const open = (to: number) =>
    void navigate({ hash: `L${to}`, search: (old) => old, replace: true, resetScroll: false });
  return (
    <Card
      title={<span className="mono">{detail.file}</span>}
      beside={
        <>
          nothing is edited here: change the file in git <Release digest={detail.release} />
        </>
      }
    >
      {detail.problems.length > 0 && (
        <div className={styles.problems}>
          <ProblemList problems={detail.problems} file={detail.file} onOpen={open} />
        </div>
      )}
      <SourceView
        text={detail.source}
        problems={detail.problems.filter((one) => one.file === detail.file)}
        line={line === undefined ? null : Number(line)}
        onLine={open}
      />
    </Card>
  );
}
