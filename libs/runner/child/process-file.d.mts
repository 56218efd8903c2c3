export interface ProcessFile {
  readonly header: {
    readonly owner?: { readonly pid: number; readonly start: string | null };
    readonly boot?: string;
    readonly marker?: string;
    readonly scratch?: string;
  };
  readonly groups: ReadonlyMap<number, string>;
}
export declare function startTicks(pid: number): string | null;
export declare function bootId(): string;
export declare function readProcessFile(file: string): ProcessFile;
export declare function killGroup(pid: number, start: string): boolean;
export declare function killMarked(marker: string, except?: number): number;
