export declare function removeTreeSync(folder: string): void;
export declare function removeTree(folder: string): Promise<void>;
