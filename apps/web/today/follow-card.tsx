import type { Follow } from '#contracts';
import { Card } from '../parts/page.tsx';
import { ProblemList } from '../parts/problem-list.tsx';
import styles from './today.module.css';

/** Why the newest commit of what an environment follows is not what runs; nothing while it is. */
export function FollowCard({ env, follow }: { env: string; follow: Follow | null }) {
  if (follow === null || follow.problem === null) return null;
  const { remote, ref, commit, problem, problems } = follow;
  return (
    <div className={styles.follow} data-testid="follow-problem">
      <Card title="The newest commit is not what runs">
        <div className={styles.followText}>
          <p>
            {env} follows{' '}
            <span className="mono">
              {remote}#{ref}
            </span>
            {commit !== null && (
              <>
                , newest commit <span className="mono">{commit.slice(0, 12)}</span>
              </>
            )}
            . The last release goes on.
          </p>
          <p>{problem}</p>
          {problems.length > 0 && <ProblemList problems={problems} />}
        </div>
      </Card>
    </div>
  );
}
