import { useEffect, type ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import { IconChevronRight } from '@tabler/icons-react';
import styles from './page.module.css';

interface PageHeadProps {
  readonly title: ReactNode;
  /** For the tab of the browser. */
  readonly name: string;
  /** Beside the title: state, release, … */
  readonly beside?: ReactNode;
  readonly actions?: ReactNode;
  /** What this page lies in. */
  readonly above?: readonly ReactNode[];
  readonly children?: ReactNode;
}

/** Stays at the top while the page scrolls. `children` come below the title: facts, tabs. */
export function PageHead({ title, name, beside, actions, above = [], children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${name} · Sluice`;
  }, [name]);
  return (
    <div className={styles.head}>
      {above.length > 0 && (
        <nav aria-label="Where this is" className={styles.above}>
          {above.map((one, index) => (
            <span key={index}>
              {one}
              <IconChevronRight size={13} aria-hidden />
            </span>
          ))}
        </nav>
      )}
      <div className={styles.row}>
        <h1 className={styles.title}>{title}</h1>
        {beside !== undefined && <div className={styles.beside}>{beside}</div>}
        {actions !== undefined && <div className={styles.actions}>{actions}</div>}
      </div>
      {children}
    </div>
  );
}

export function PageBody({ children }: { children: ReactNode }) {
  return <div className={styles.body}>{children}</div>;
}

/** Facts in a row: label above value. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>;
}

export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface CardProps {
  readonly title: ReactNode;
  readonly beside?: ReactNode;
  readonly children: ReactNode;
  readonly id?: string;
}

export function Card({ title, beside, children, id }: CardProps) {
  return (
    <section className={styles.card} data-testid={id}>
      <div className={styles.cardHead}>
        <h2>{title}</h2>
        {beside !== undefined && <div className={styles.cardBeside}>{beside}</div>}
      </div>
      {children}
    </section>
  );
}

export function PipelineLink({ name }: { name: string }) {
  return (
    <Link to="/pipelines/$pipeline/grid" params={{ pipeline: name }} className="link">
      {name}
    </Link>
  );
}
