import { unreachable, type WaitCondition } from '#core';

/** What a `wait` task waits for, as it stands in the file. */
export function waitText(condition: WaitCondition): string {
  switch (condition.kind) {
    case 'path':
      return `path: ${condition.at}`;
    case 'dataset':
      return `dataset: ${condition.pipeline}.${condition.path}`;
    case 'run':
      return `run: ${condition.pipeline}`;
    case 'http':
      return [
        `http: ${condition.url}`,
        `status: ${condition.status.join(', ')}`,
        ...(condition.expr === null ? [] : [`expr: ${condition.expr}`]),
      ].join('\n');
    case 'time':
      return `time: ${condition.expr}`;
    case 'expr':
      return `expr: ${condition.expr}`;
    default:
      return unreachable(condition);
  }
}
