import { shortDigest } from './digest.ts';
import styles from './release.module.css';

interface ReleaseProps {
  readonly digest: string | null;
  readonly dirty?: boolean;
  /** Without the frame, for running text. */
  readonly plain?: boolean;
}

/** The first eight characters of a release's digest; `+` marks one that holds files which are not committed. */
export function Release({ digest, dirty = false, plain = false }: ReleaseProps) {
  if (digest === null) return <span className="dim">no release</span>;
  return (
    <span
      className={plain ? 'mono' : `mono ${styles.chip}`}
      title={`Release ${digest}${dirty ? ', with files that are not committed' : ''}`}
    >
      {shortDigest(digest)}
      {dirty && (
        <span className={styles.dirty}>
          +<span className="sr-only"> not committed</span>
        </span>
      )}
    </span>
  );
}
