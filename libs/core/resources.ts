/** What tasks may ask for of the machine that executes them. */
export const RESOURCE_NAMES = ['cpu', 'memory', 'gpu'] as const;
export type ResourceName = (typeof RESOURCE_NAMES)[number];

/** `cpu` in processors, thousandths at the finest; `memory` in bytes; `gpu` in devices. What is not named is not asked for, or not limited. */
export type Resources = Readonly<Partial<Record<ResourceName, number>>>;

/** `2 cpu, 4 GiB of memory`. */
export function resourcesText(resources: Resources): string {
  return RESOURCE_NAMES.flatMap((name) => {
    const amount = resources[name];
    return amount === undefined ? [] : [amountText(name, amount)];
  }).join(', ');
}

export function amountText(name: ResourceName, amount: number): string {
  if (name !== 'memory') return `${amount} ${name}`;
  for (const [unit, bytes] of [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const)
    if (amount >= bytes) return `${Math.round((amount / bytes) * 100) / 100} ${unit} of memory`;
  return `${amount} bytes of memory`;
}

/** What so many take that take this each. */
export function timesResources(resources: Resources, count: number): Resources {
  if (count === 1) return resources;
  const amounts = RESOURCE_NAMES.flatMap((name) => {
    const each = resources[name];
    // Thousandths of processors: a third of three is one.
    return each === undefined ? [] : [[name, Math.round(each * count * 1000) / 1000] as const];
  });
  return Object.fromEntries(amounts);
}

/** What of `asked` is more than there is at all. */
export function beyond(asked: Resources, has: Resources): ResourceName[] {
  return RESOURCE_NAMES.filter((name) => (asked[name] ?? 0) > (has[name] ?? Infinity));
}

/** Whole numbers, so that sums are exact: processors in thousandths. */
export function inUnits(name: ResourceName, amount: number): number {
  return name === 'cpu' ? Math.round(amount * 1000) : amount;
}
