import styles from './progress.module.css';

interface ProgressProps {
  readonly done: number;
  readonly total: number;
  readonly label: string;
  /** Only the bar and the numbers; the label stays for screen readers. */
  readonly bare?: boolean;
}

/** Progress with its numbers. A total of 0 means that it is not known: the bar then only says "some". */
export function Progress({ done, total, label, bare = false }: ProgressProps) {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  return (
    <div className={styles.progress} data-bare={bare || undefined} data-testid="progress">
      <span className={styles.text}>
        {!bare && <span className="clip">{label}</span>}
        <span className="num">
          {done.toLocaleString('en')}
          {total > 0 && ` / ${total.toLocaleString('en')}`}
        </span>
      </span>
      <span
        className={styles.track}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        aria-valuetext={`${done} of ${total}`}
      >
        <span className={styles.fill} style={{ width: `${share * 100}%` }} />
      </span>
    </div>
  );
}
