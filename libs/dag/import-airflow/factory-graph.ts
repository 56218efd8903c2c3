import type { Place, Report } from './report.ts';
import { isMap, textOf } from './typed-value.ts';

type Json = Readonly<Record<string, unknown>>;

/** A task or a group of a dag-factory file, by the name that `dependencies` use. */
export interface FactoryNode {
  readonly name: string;
  readonly config: Json;
  readonly place: Place;
  /** Name of the group it stands in. */
  readonly group: string | null;
}

/** Both ways of writing `tasks` and `task_groups`: a map, or a list whose items have their name in `nameKey`. */
export function factoryNodes(
  section: unknown,
  nameKey: 'task_id' | 'group_name',
  groupKey: 'task_group_name' | 'parent_group_name',
  placeOf: (member: string | number) => Place,
): FactoryNode[] {
  const entries: [string | number, unknown][] = Array.isArray(section)
    ? [...section.entries()]
    : Object.entries(isMap(section) ? section : {});
  return entries.map(([member, written]) => {
    const config = isMap(written) ? written : {};
    const name = typeof member === 'string' ? member : textOf(config[nameKey] ?? `${nameKey}_${member}`);
    const group = config[groupKey];
    return { name, config, place: placeOf(member), group: typeof group === 'string' ? group : null };
  });
}

/** Who runs before whom, groups resolved to the tasks at their ends. */
export class FactoryGraph {
  readonly #tasks: ReadonlyMap<string, FactoryNode>;
  readonly #groups: ReadonlyMap<string, FactoryNode>;
  readonly #report: Report;

  constructor(tasks: readonly FactoryNode[], groups: readonly FactoryNode[], report: Report) {
    this.#tasks = new Map(tasks.map((task) => [task.name, task]));
    this.#groups = new Map(groups.map((group) => [group.name, group]));
    this.#report = report;
  }

  /** Airflow's id of a task: with its groups. */
  idOf(name: string): string {
    return [...this.#groupsAround(this.#tasks.get(name)?.group ?? null).reverse(), name].join('.');
  }

  /** Airflow's id of the group that a task stands in. */
  groupIdOf({ group }: FactoryNode): string | null {
    const around = this.#groupsAround(group);
    return around.length === 0 ? null : around.reverse().join('.');
  }

  groupOf(task: FactoryNode): FactoryNode | null {
    return this.#groups.get(task.group ?? '') ?? null;
  }

  /** By task, the names of the tasks directly before it. */
  upstream(): Map<string, Set<string>> {
    const found = new Map([...this.#tasks.keys()].map((name) => [name, new Set<string>()]));
    for (const task of this.#tasks.values())
      for (const before of this.#dependenciesOf(task)) if (this.#tasks.has(before)) found.get(task.name)?.add(before);
    const within = new Map([...found].map(([name, before]) => [name, new Set(before)]));
    for (const node of [...this.#tasks.values(), ...this.#groups.values()])
      for (const before of this.#dependenciesOf(node)) {
        if (this.#tasks.has(before) && this.#tasks.has(node.name)) continue;
        for (const first of this.#endsOf(node.name, within, 'first'))
          for (const last of this.#endsOf(before, within, 'last')) found.get(first)?.add(last);
      }
    return found;
  }

  #dependenciesOf({ name, config, place }: FactoryNode): string[] {
    const written = config.dependencies;
    const names = (Array.isArray(written) ? written : written === undefined ? [] : [written]).map(textOf);
    return names.filter((before) => {
      if (before !== name && (this.#tasks.has(before) || this.#groups.has(before))) return true;
      const message = `${name} depends on ${before}, which ${before === name ? 'is itself' : 'does not exist'}.`;
      this.#report.lost(place, message, 'Mend `dependencies`, or write `needs` yourself.');
      return false;
    });
  }

  /** The tasks of a group that nothing inside it comes before, or after; a task is its own end. */
  #endsOf(name: string, within: ReadonlyMap<string, ReadonlySet<string>>, end: 'first' | 'last'): string[] {
    if (this.#tasks.has(name)) return [name];
    const inside = [...this.#tasks.values()].filter((task) => this.#groupsAround(task.group).includes(name));
    const names = new Set(inside.map((task) => task.name));
    const before = (task: string): string[] => [...(within.get(task) ?? [])].filter((each) => names.has(each));
    if (end === 'first') return [...names].filter((task) => before(task).length === 0);
    const followed = new Set([...names].flatMap(before));
    return [...names].filter((task) => !followed.has(task));
  }

  /** From the innermost outward; groups that hold each other end at the first repetition. */
  #groupsAround(group: string | null): string[] {
    const around: string[] = [];
    for (
      let at = group;
      at !== null && this.#groups.has(at) && !around.includes(at);
      at = this.#groups.get(at)?.group ?? null
    )
      around.push(at);
    return around;
  }
}
