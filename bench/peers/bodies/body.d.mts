export function shellText(
  effects: string,
  engine: string,
  run: string,
  task: string,
  attempt: string | number,
  work?: string,
): string;
