export declare const NODE_RANGE: string;
export declare function refusalOf(version: string): { readonly wanted: string; readonly remedy: string } | null;
export declare function refuseOtherNodes(version?: string): void;
