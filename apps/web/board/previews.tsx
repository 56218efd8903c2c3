import { Link } from '@tanstack/react-router';
import type { Environment } from '#contracts';
import { Release } from '../parts/release.tsx';
import { Ago } from '../parts/time.tsx';
import styles from './board.module.css';

/** Environments for one pull request each; they end by themselves. */
export function Previews({ previews }: { previews: readonly Environment[] }) {
  if (previews.length === 0) return null;
  return (
    <div className={styles.demands}>
      <p className={styles.demandsTitle}>Previews</p>
      <ul className={styles.previews}>
        {previews.map(({ name, release, preview }) => (
          <li key={name}>
            <Link to="/pipelines" search={{ env: name }} className="link clip">
              {name}
            </Link>
            <span>
              <Release digest={release} plain />{' '}
              {preview === null ? null : preview.closing ? (
                'is closing'
              ) : (
                <>
                  ends <Ago at={preview.expiresAt} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
