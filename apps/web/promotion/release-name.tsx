import { Link } from '@tanstack/react-router';
import type { Promotion } from '#contracts';
import { shortDigest } from '../parts/digest.ts';
import styles from './promotion.module.css';

type Named = Pick<Promotion['release'], 'digest' | 'alias'>;

/** Alias and digest of a release, and the way to its page. */
export function ReleaseName({ release, strong = false }: { release: Named; strong?: boolean }) {
  return (
    <Link
      to="/releases/$release"
      params={{ release: release.digest }}
      className={`link ${styles.release}`}
      data-strong={strong || undefined}
      title={`Release ${release.digest}`}
    >
      <span className="clip">{release.alias}</span>
      <span className={`mono ${styles.digest}`}>{shortDigest(release.digest)}</span>
    </Link>
  );
}

/** Commit, who wrote it, what it says. */
export function CommitLine({ release }: { release: Pick<Promotion['release'], 'commit' | 'author' | 'message'> }) {
  const { commit, author, message } = release;
  if (commit === null) return <p className={styles.commit}>Files of a working tree, in no commit</p>;
  return (
    <div className={styles.commit}>
      <p className={styles.message} title={message ?? undefined}>
        {message ?? 'No message'}
      </p>
      <p className={styles.by}>
        <span className="mono" title={commit}>
          {commit.slice(0, 8)}
        </span>
        {author !== null && (
          <span className="clip" title={author}>
            {author.replace(/\s*<[^>]*>$/, '')}
          </span>
        )}
      </p>
    </div>
  );
}
