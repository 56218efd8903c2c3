import type { TaskRunDetail } from '#contracts';
import { CopyId } from '../parts/copy-id.tsx';
import { shortDigest, shortVersion } from '../parts/digest.ts';
import { KeyValues } from '../parts/key-values.tsx';
import { Markdown } from '../parts/markdown.tsx';
import { Card } from '../parts/page.tsx';
import { formatBytes } from '../parts/number-format.ts';
import table from '../parts/table.module.css';
import styles from './task.module.css';

/** What is executed, expressions resolved, and the environment it sees. */
export function TaskCommand({ detail }: { detail: TaskRunDetail }) {
  return (
    <div className={styles.stack}>
      <Card title="Command" beside={detail.task.kind} id="command">
        <pre className={styles.code} tabIndex={0}>
          {detail.command}
        </pre>
      </Card>
      <Card title="Environment" beside="values of secrets are never stored" id="variables">
        <KeyValues values={detail.env} empty="No variables." />
      </Card>
    </div>
  );
}

interface InputRow {
  readonly name: string;
  /** Null: nothing was there when the inputs were pinned. */
  readonly location: string | null;
  readonly version: string;
  readonly manifestHash: string;
}

/** What it read (pinned versions), what it published, what it told. */
export function TaskData({ detail }: { detail: TaskRunDetail }) {
  const inputs = detail.inputs.flatMap(({ name, versions }): InputRow[] =>
    versions.length === 0
      ? [{ name, location: null, version: '', manifestHash: '' }]
      : versions.map(({ environment, location, ...version }) => ({
          name,
          location: environment === detail.run.environment ? location : `${environment}: ${location}`,
          ...version,
        })),
  );
  return (
    <div className={styles.stack}>
      <Card title="Published" beside={`${detail.published.length}`} id="published">
        {detail.published.length === 0 ? (
          <p className={styles.none}>
            {detail.task.writes.length === 0 ? 'This task writes no path.' : 'Nothing published yet.'}
          </p>
        ) : (
          <div className={table.bare}>
            <table className={table.table} data-dense>
              <thead>
                <tr>
                  <th>Path</th>
                  <th>Location</th>
                  <th className={table.right}>Files</th>
                  <th className={table.right}>Size</th>
                  <th>Version</th>
                  <th>Manifest hash</th>
                </tr>
              </thead>
              <tbody>
                {detail.published.map((one) => (
                  <tr key={one.location}>
                    <td className={`${table.tight} mono`}>{one.name}</td>
                    <td className="mono">{one.location}</td>
                    <td className={`${table.tight} ${table.right} num`}>{one.files}</td>
                    <td className={`${table.tight} ${table.right} num`}>{formatBytes(one.bytes)}</td>
                    <td className={table.tight}>
                      <CopyId id={one.version} shown={shortVersion(one.version)} />
                    </td>
                    <td className={table.tight}>
                      <CopyId id={one.manifestHash} shown={shortDigest(one.manifestHash)} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Card>
      <Card
        title="Inputs"
        beside={inputs.length > 0 ? `${inputs.length}, pinned at the first try` : undefined}
        id="inputs"
      >
        {inputs.length === 0 ? (
          <p className={styles.none}>This task reads no path.</p>
        ) : (
          <div className={table.bare}>
            <table className={table.table} data-dense>
              <thead>
                <tr>
                  <th>Path</th>
                  <th>Location</th>
                  <th>Version</th>
                  <th>Manifest hash</th>
                </tr>
              </thead>
              <tbody>
                {inputs.map((one, index) => (
                  <tr key={index}>
                    <td className={`${table.tight} mono`}>{one.name}</td>
                    <td className="mono">{one.location ?? <span className="dim">nothing there yet</span>}</td>
                    <td className={table.tight}>
                      {one.version !== '' && <CopyId id={one.version} shown={shortVersion(one.version)} />}
                    </td>
                    <td className={table.tight}>
                      {one.manifestHash !== '' && (
                        <CopyId id={one.manifestHash} shown={shortDigest(one.manifestHash)} />
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Card>
      <Card title="Outputs" id="outputs">
        <KeyValues values={detail.outputs} empty="This task told no outputs." />
      </Card>
    </div>
  );
}

export function TaskSummary({ detail }: { detail: TaskRunDetail }) {
  return (
    <Card title="Summary" beside="written by the task" id="summary">
      {detail.summary === null ? <p className={styles.none}>No summary.</p> : <Markdown text={detail.summary} />}
    </Card>
  );
}
