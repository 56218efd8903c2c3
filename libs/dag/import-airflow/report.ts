/** Where something stands in what is imported: its path, and its line where the source has lines. */
export interface Place {
  readonly path: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** Something that did not come over as it was. */
export interface ImportNote extends Place {
  readonly file: string;
  /** `lost`: nothing stands for it yet. `changed`: it is there in another form, which somebody should look at. */
  readonly kind: 'lost' | 'changed';
  readonly message: string;
  readonly hint: string;
}

/** Collects what is to be said about one file; the same thing about the same place is said once. */
export class Report {
  readonly file: string;
  readonly #notes = new Map<string, ImportNote>();

  constructor(file: string) {
    this.file = file;
  }

  lost(place: Place, message: string, hint: string): void {
    this.#add('lost', place, message, hint);
  }

  changed(place: Place, message: string, hint: string): void {
    this.#add('changed', place, message, hint);
  }

  /** In the order of the file where it has lines, else as they were found. */
  toArray(): ImportNote[] {
    return [...this.#notes.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  }

  #add(kind: ImportNote['kind'], place: Place, message: string, hint: string): void {
    const key = `${place.path}\n${place.line}:${place.column}\n${message}`;
    if (!this.#notes.has(key)) this.#notes.set(key, { file: this.file, ...place, kind, message, hint });
  }
}
