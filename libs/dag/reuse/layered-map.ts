import type { Position } from '../source/problem-list.ts';
import type { Path, Places } from '../source/source-map.ts';

export interface Layer {
  readonly file: string;
  readonly map: Places;
}

/** Places in a file and its parts, nearest first: what several of them wrote stands where the nearest wrote it. */
export class LayeredMap implements Places {
  readonly #file: string;
  readonly #layers: readonly Layer[];

  /** `file` is the one whose problems are collected. */
  constructor(file: string, layers: readonly Layer[]) {
    this.#file = file;
    this.#layers = layers;
  }

  has(path: Path): boolean {
    return this.#layers.some(({ map }) => map.has(path));
  }

  value(path: Path): Position {
    return this.#find(path, (map) => map.value(path));
  }

  key(path: Path): Position {
    return this.#find(path, (map) => map.key(path));
  }

  within(path: Path, index: number): Position {
    return this.#find(path, (map) => map.within(path, index));
  }

  /** `file:line` of everything that wrote at `path`, nearest first; empty when that is the file itself alone. */
  origins(path: Path): string[] {
    const wrote = this.#layers.filter(({ map }) => map.has(path));
    if (wrote.length === 1 && wrote[0]?.file === this.#file) return [];
    return wrote.map(({ file, map }) => `${file}:${map.key(path).line}`);
  }

  #find(path: Path, place: (map: Places) => Position): Position {
    for (let length = path.length; length >= 0; length -= 1) {
      const layer = this.#layers.find(({ map }) => map.has(path.slice(0, length)));
      if (layer !== undefined)
        return { ...(layer.file === this.#file ? {} : { file: layer.file }), ...place(layer.map) };
    }
    return { line: 1, column: 1 };
  }
}
