import type { Socket } from 'node:net';

export interface OutputPipe {
  readonly stdio: number | 'pipe';
  readonly reader: Socket | null;
  readonly file: string | null;
}
export declare class OutputPipes {
  constructor(folder: string);
  open(): OutputPipe;
  spawned(pipe: OutputPipe): void;
  drain(pipe: OutputPipe, take: (bytes: Buffer) => void): void;
  close(pipe: OutputPipe, reachedEnd: boolean): void;
}
