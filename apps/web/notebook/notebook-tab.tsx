import { useQuery } from '@tanstack/react-query';
import type { NotebookShape, TaskRunDetail } from '#contracts';
import { address } from '../api.ts';
import { Loaded } from '../parts/loaded.tsx';
import { Markdown } from '../parts/markdown.tsx';
import { Notice } from '../parts/notice.tsx';
import { Card } from '../parts/page.tsx';
import { notebookPath, notebookQuery } from '../queries.ts';
import styles from './notebook.module.css';
import { readOutput, wholeText, type ShownOutput } from './read-output.ts';

type Cell = NotebookShape['cells'][number];

interface Place {
  readonly run: string;
  readonly task: string;
  readonly map: number;
  readonly number: number;
}

/** The notebook as an attempt left it. */
export function NotebookTab({ attempt, of }: { attempt: TaskRunDetail['attempts'][number] | undefined; of: Place }) {
  if (attempt === undefined || attempt.finishedAt === null)
    return <Notice title="Not executed yet" hint="The notebook stands here as soon as the attempt has ended." />;
  return <Executed of={of} />;
}

function Executed({ of }: { of: Place }) {
  const query = useQuery(notebookQuery(of));
  const download = address(notebookPath(of.run, of.task), { map: of.map, try: of.number });
  return (
    <Loaded query={query} height={480}>
      {({ cells }) => (
        <Card
          title="Executed notebook"
          beside={
            <a className="link" href={download} download>
              Download
            </a>
          }
          id="notebook"
        >
          <div className={styles.cells}>
            {cells.map((cell, index) => (
              <CellView key={index} cell={cell} />
            ))}
          </div>
        </Card>
      )}
    </Loaded>
  );
}

function CellView({ cell }: { cell: Cell }) {
  const source = wholeText(cell.source);
  if (cell.cell_type === 'markdown') return <Markdown text={source} />;
  const outputs = (cell.outputs ?? []).map(readOutput).filter((one) => one !== null);
  const hasFailed = (cell.outputs ?? []).some((one) => one.output_type === 'error');
  return (
    <section className={styles.cell} data-failed={hasFailed || undefined}>
      <span className={styles.count}>
        {cell.cell_type === 'code' ? `[${cell.execution_count ?? ' '}]` : ''}
        {cell.metadata?.tags?.map((tag) => (
          <span key={tag} className={styles.tag}>
            {tag}
          </span>
        ))}
      </span>
      <pre className={styles.source} tabIndex={0}>
        {source}
      </pre>
      {outputs.map((output, index) => (
        <Output key={index} output={output} />
      ))}
    </section>
  );
}

function Output({ output }: { output: ShownOutput }) {
  switch (output.kind) {
    case 'image':
      return <img className={styles.image} src={output.address} alt={output.text || 'An image that the cell made'} />;
    case 'markdown':
      return <Markdown text={output.text} />;
    default:
      return (
        <pre className={styles.output} data-error={output.isError || undefined} tabIndex={0}>
          {output.text}
        </pre>
      );
  }
}
