import { IconEdit, IconMinus, IconPlus, type Icon } from '@tabler/icons-react';
import type { ReleaseDiff } from '#contracts';
import styles from './changes.module.css';

type Changes = ReleaseDiff['pipelines'];
type Kind = Changes[number]['change'];
type Field = Changes[number]['fields'][number];

/** What pipelines differ in, by meaning: field by field, task by task. */
export function PipelineChanges({ pipelines }: { pipelines: Changes }) {
  return (
    <ul className={styles.changes} data-testid="pipeline-changes">
      {pipelines.map((pipeline) => (
        <li key={pipeline.pipeline} className={styles.pipeline}>
          <p className={styles.head}>
            <ChangeMark kind={pipeline.change} />
            <b>{pipeline.pipeline}</b>
            <span className="dim">{pipeline.change}</span>
          </p>
          <FieldTable fields={pipeline.fields} />
          {pipeline.tasks.map((task) => (
            <div key={task.task} className={styles.task}>
              <p className={styles.head}>
                <ChangeMark kind={task.change} />
                <span className="mono">{task.task}</span>
                <span className="dim">task {task.change}</span>
              </p>
              <FieldTable fields={task.fields} />
            </div>
          ))}
        </li>
      ))}
    </ul>
  );
}

const MARKS: Readonly<Record<Kind, Icon>> = { added: IconPlus, removed: IconMinus, changed: IconEdit };

export function ChangeMark({ kind }: { kind: Kind }) {
  const Shape = MARKS[kind];
  return (
    <span className={styles.mark} data-kind={kind} aria-hidden>
      <Shape size={12} stroke={2.4} />
    </span>
  );
}

export function FieldTable({ fields }: { fields: readonly Field[] }) {
  if (fields.length === 0) return null;
  return (
    <table className={styles.fields}>
      <thead className="sr-only">
        <tr>
          <th>Field</th>
          <th>Before</th>
          <th>After</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((one) => (
          <tr key={one.field}>
            <th scope="row">{one.field}</th>
            <td data-side="before">
              <Side value={one.before} />
            </td>
            <td data-side="after">
              <Side value={one.after} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Side({ value }: { value: unknown }) {
  if (value === undefined) return <span className="dim">not there</span>;
  return <pre className={styles.value}>{typeof value === 'string' ? value : JSON.stringify(value, null, 1)}</pre>;
}
