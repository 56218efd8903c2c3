import type { ReleaseDetail } from '#contracts';
import { CopyId } from '../parts/copy-id.tsx';
import { shortDigest } from '../parts/digest.ts';
import { formatBytes } from '../parts/number-format.ts';
import table from '../parts/table.module.css';
import styles from './releases.module.css';

/** Beyond this a browser stutters; `sluice release show` lists them all. */
const SHOWN = 2000;

export function ReleaseFiles({ files }: { files: ReleaseDetail['files'] }) {
  return (
    <div className={table.frame}>
      <table className={table.table} data-dense data-testid="release-files">
        <thead>
          <tr>
            <th>File</th>
            <th className={table.right}>Size</th>
            <th>SHA-256</th>
          </tr>
        </thead>
        <tbody>
          {files.slice(0, SHOWN).map((one) => (
            <tr key={one.path}>
              <td className="mono">
                {one.path}
                {one.executable && <span className="dim"> executable</span>}
              </td>
              <td className={`${table.tight} ${table.right} ${styles.size}`}>{formatBytes(one.bytes)}</td>
              <td className={table.tight}>
                <CopyId id={one.sha256} shown={shortDigest(one.sha256)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {files.length > SHOWN && (
        <p className={`${styles.padded} dim`}>
          And {files.length - SHOWN} more: <code>sluice release show</code> lists them all.
        </p>
      )}
    </div>
  );
}
