const MOST_ROWS = 200;
const MARKS = { passed: '✓', failed: '✗', warned: '!', skipped: '–' };
const ORDER = ['failed', 'warned', 'passed', 'skipped'];

/** A table for the page of the task; what failed comes first. */
export function summaryOf({ dbtVersion, nodes, counts }) {
  const sorted = [...nodes].sort(
    (a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict) || b.seconds - a.seconds,
  );
  const rows = sorted.slice(0, MOST_ROWS).map((node) => {
    const said = [
      node.status,
      node.failures > 0 ? `${node.failures} rows` : '',
      node.verdict === 'passed' ? '' : node.message,
    ];
    const cells = [node.kind, node.name, node.seconds.toFixed(2), node.rows ?? '', said.filter(Boolean).join(': ')];
    return `| ${MARKS[node.verdict]} | ${cells.map(cell).join(' | ')} |`;
  });
  const left = nodes.length - rows.length;
  return [
    `dbt ${dbtVersion}: ${counts.models_passed} models and ${counts.tests_passed} tests passed, ` +
      `${counts.models_failed + counts.tests_failed} failed, ${counts.warned} warned, ${counts.skipped} skipped.`,
    '',
    '| | kind | name | seconds | rows | said |',
    '| --- | --- | --- | ---: | ---: | --- |',
    ...rows,
    ...(left > 0 ? ['', `${left} more are not shown.`] : []),
  ].join('\n');
}

function cell(value) {
  return String(value).replace(/[\\|<>`*_[\]]/g, '\\$&');
}
