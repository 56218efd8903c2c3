/** What is to be seen of a simulated run at one moment. */
export interface RunLook {
  readonly state: string;
  readonly reason: string | null;
  /** From its creation to its end, or to now. */
  readonly tookMs: number;
  readonly tasks: readonly TaskLook[];
  /** `task#try` or `task[key]#try`, in the order in which they began. */
  readonly attempts: readonly string[];
  readonly alerts: readonly SentAlert[];
}

/** One task run; a task of which nothing happened yet is one in state `none`. */
export interface TaskLook {
  readonly id: string;
  /** Of its fan-out; empty when it has none. */
  readonly key: string;
  readonly state: string;
  readonly reason: string | null;
  readonly tries: number;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly metrics: Readonly<Record<string, number>>;
  /** What its last attempt was given. */
  readonly env: Readonly<Record<string, string>>;
  /** SHA-256 of each published file, by path and name. */
  readonly wrote: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface SentAlert {
  readonly on: string;
  readonly to: string;
  readonly title: string;
}

/** `task`, or `task[key]` of a fan-out. */
export function taskRefOf({ id, key }: Pick<TaskLook, 'id' | 'key'>): string {
  return key === '' ? id : `${id}[${key}]`;
}
