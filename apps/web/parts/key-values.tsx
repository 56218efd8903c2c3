import styles from './key-values.module.css';

/** Names and JSON values in two columns. */
export function KeyValues({ values, empty }: { values: Readonly<Record<string, unknown>>; empty: string }) {
  const entries = Object.entries(values);
  if (entries.length === 0) return <p className={styles.empty}>{empty}</p>;
  return (
    <dl className={styles.list}>
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
