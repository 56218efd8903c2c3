export function shellText(
  effects: string,
  engine: string,
  run: string,
  task: string,
  attempt: string | number,
  work?: string,
): string;
export function watchedText(
  effects: string,
  engine: string,
  run: string,
  task: string,
  attempt: string | number,
  n: number,
): string;
