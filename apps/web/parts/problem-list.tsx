import type { Problem } from '#core';
import { Coded } from './notice.tsx';
import styles from './problem-list.module.css';

interface ProblemListProps {
  readonly problems: readonly Problem[];
  /** Makes positions in `file` buttons. */
  readonly file?: string;
  readonly onOpen?: (line: number) => void;
}

/** Mistakes in a file: position, what is wrong, what to do. */
export function ProblemList({ problems, file, onOpen }: ProblemListProps) {
  return (
    <ul className={styles.list} data-testid="problems">
      {problems.map((one, index) => (
        <li key={index} className={styles.item}>
          {onOpen === undefined || one.file !== file ? (
            <span className={styles.at}>{position(one)}</span>
          ) : (
            <button type="button" className={styles.at} onClick={() => onOpen(one.line)}>
              {position(one)}
            </button>
          )}
          <span>
            {one.message}
            {one.hint !== undefined && (
              <span className={styles.hint}>
                <Coded text={one.hint} />
              </span>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function position(problem: Problem): string {
  return `${problem.file}:${problem.line}:${problem.column}`;
}
