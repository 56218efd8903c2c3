import type { ReactNode } from 'react';
import { Button } from '@mantine/core';
import { IconAlertHexagon, IconInfoCircle } from '@tabler/icons-react';
import type { Problem } from '#core';
import { ApiError } from '../api.ts';
import { ProblemList } from './problem-list.tsx';
import styles from './notice.module.css';

interface NoticeProps {
  readonly title: string;
  readonly hint?: ReactNode;
  readonly tone?: 'bad' | 'calm';
  /** Inside a form, instead of in the middle of a page. */
  readonly inline?: boolean;
  readonly children?: ReactNode;
}

/** A page or a part that has nothing to show, and what to do about it. */
export function Notice({ title, hint, tone = 'calm', inline = false, children }: NoticeProps) {
  const Icon = tone === 'bad' ? IconAlertHexagon : IconInfoCircle;
  return (
    <div
      className={styles.notice}
      data-tone={tone}
      data-inline={inline || undefined}
      role={tone === 'bad' ? 'alert' : undefined}
      data-testid="notice"
    >
      <Icon size={22} stroke={1.6} aria-hidden className={styles.icon} />
      <div>
        <p className={styles.title}>{title}</p>
        {hint !== undefined && <div className={styles.hint}>{hint}</div>}
        {children !== undefined && <div className={styles.more}>{children}</div>}
      </div>
    </div>
  );
}

interface FailureProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
  readonly inline?: boolean;
}

/** What the server said, its hint and its problems, and a way to ask again. */
export function Failure({ error, onRetry, inline = false }: FailureProps) {
  const known = error instanceof ApiError ? error : null;
  const problems: readonly Problem[] = known?.problems ?? [];
  return (
    <Notice
      title={error instanceof Error ? error.message : 'Something went wrong.'}
      hint={known?.hint === undefined ? undefined : <Coded text={known.hint} />}
      tone="bad"
      inline={inline}
    >
      {problems.length > 0 && <ProblemList problems={problems} />}
      {onRetry !== undefined && (
        <Button variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Notice>
  );
}

/** Text with `code` between backticks set as code. */
export function Coded({ text }: { text: string }) {
  return text
    .split('`')
    .map((piece, index) => (index % 2 === 1 ? <code key={index}>{piece}</code> : <span key={index}>{piece}</span>));
}
