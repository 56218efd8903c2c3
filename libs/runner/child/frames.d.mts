export declare const HEADER_BYTES: number;
export declare const TO_LAUNCHER: Readonly<Record<'spawn' | 'input' | 'end' | 'closeInput' | 'hold' | 'goOn', number>>;
export declare const FROM_LAUNCHER: Readonly<
  Record<'started' | 'stdout' | 'stderr' | 'control' | 'exited' | 'refused', number>
>;
export declare const TO_WARM: Readonly<Record<'run' | 'end' | 'hold' | 'goOn', number>>;
export declare const FROM_WARM: Readonly<Record<'ready' | 'stdout' | 'stderr' | 'event' | 'done' | 'started', number>>;
export declare function encodeFrame(type: number, id: number, payload?: string | Buffer): Buffer;
export declare const MOST_FROM_WARM: number;
export declare class FrameReader {
  constructor(onFrame: (type: number, id: number, payload: Buffer) => void, most?: number);
  push(chunk: Buffer): void;
}
