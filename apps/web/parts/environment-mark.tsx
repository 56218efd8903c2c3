import styles from './environment-mark.module.css';

/** The first letter of an environment; production looks different at a glance, and the letter says it too. */
export function EnvironmentMark({ env, size = 26 }: { env: string; size?: number }) {
  return (
    <span
      className={styles.mark}
      data-kind={kindOf(env)}
      style={{ width: size, height: size, fontSize: Math.round(size / 2), borderRadius: Math.round(size / 4.3) }}
      aria-hidden
    >
      {env.slice(0, 1).toUpperCase()}
    </span>
  );
}

function kindOf(env: string): string {
  if (/^prod/.test(env)) return 'prod';
  return /^(test|stag|qa|pre)/.test(env) ? 'test' : 'dev';
}
