import { Link } from '@tanstack/react-router';
import { IconAlertTriangle, IconEqual, IconEqualNot, IconGitBranch, IconPencil } from '@tabler/icons-react';
import type { Environment } from '#contracts';
import { EnvironmentMark } from '../parts/environment-mark.tsx';
import { Release } from '../parts/release.tsx';
import { releaseMarks, type ReleaseMark } from './release-marks.ts';
import styles from './release-chips.module.css';

interface ReleaseChipsProps {
  readonly environments: readonly Environment[];
  /** The environment of the page. */
  readonly shown: string;
}

/** What each environment runs, and whether that is what the page shows. */
export function ReleaseChips({ environments, shown }: ReleaseChipsProps) {
  const marks = releaseMarks(environments, shown);
  if (marks.length < 2) return null;
  return (
    <ul className={styles.chips} aria-label="Release of each environment" data-testid="release-chips">
      {marks.map((mark) => (
        <li key={mark.environment} className={styles.chip} data-beside={mark.beside} data-testid="release-chip">
          <EnvironmentMark env={mark.environment} size={20} />
          <span className={styles.name}>{mark.environment}</span>
          <Running mark={mark} />
          <Beside mark={mark} shown={shown} />
          <Follows mark={mark} />
        </li>
      ))}
    </ul>
  );
}

function Running({ mark: { release, dirty } }: { mark: ReleaseMark }) {
  if (release === null) return <Release digest={null} />;
  return (
    <>
      <Link to="/releases/$release" params={{ release }} className="link">
        <Release digest={release} plain />
      </Link>
      {dirty && (
        <span className={styles.dirty} title="It holds files that are not committed">
          <IconPencil size={13} aria-hidden /> not committed
        </span>
      )}
    </>
  );
}

function Beside({ mark: { beside }, shown }: { mark: ReleaseMark; shown: string }) {
  if (beside === 'nothing') return null;
  if (beside === 'shown') return <span className={styles.beside}>shown here</span>;
  const Sign = beside === 'same' ? IconEqual : IconEqualNot;
  return (
    <span className={styles.beside}>
      <Sign size={14} aria-hidden /> {beside === 'same' ? 'same as' : 'differs from'} {shown}
    </span>
  );
}

function Follows({ mark: { ref, problem } }: { mark: ReleaseMark }) {
  if (ref === null) return null;
  return (
    <span className={styles.beside} data-tone={problem === null ? undefined : 'bad'} title={problem ?? undefined}>
      <IconGitBranch size={13} aria-hidden />
      <span className="clip">follows {ref}</span>
      {problem !== null && (
        <>
          <IconAlertTriangle size={13} aria-hidden /> newest commit not running
        </>
      )}
    </span>
  );
}
