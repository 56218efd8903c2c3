import { dirname, join } from 'node:path';

/** Where control groups that limit processors can be made. */
export interface ProcessorPlace {
  readonly version: 1 | 2;
  /** The folder of our own group, in which everything that we start begins. */
  readonly home: string;
  /** The folder in which groups are made. */
  readonly parent: string;
}

/**
 * Finds the place by the texts of /proc/self/mountinfo and /proc/self/cgroup; says why there is none; null: there are no
 * control groups, as on another system than Linux. Whether we may write there shows when we do.
 */
export function processorPlace(mountinfo: string, cgroup: string): ProcessorPlace | string | null {
  const groups = linesOf(cgroup).map((line) => /^\d+:([^:]*):(.*)$/.exec(line)?.slice(1) ?? []);
  const first = groups.find(([controllers]) => controllers?.split(',').includes('cpu'));
  const path = (first ?? groups.find(([controllers]) => controllers === ''))?.[1];
  if (path === undefined) return null;
  const version = first === undefined ? 2 : 1;
  const [mount] = linesOf(mountinfo).flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [root = '', folder = ''] = before.split(' ').slice(3, 5).map(unescape);
    const [type, , options = ''] = after.split(' ');
    const fits = version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('cpu');
    const below = fits ? pathBelow(root, path) : null;
    return below === null ? [] : [{ folder, below }];
  });
  if (mount === undefined) return `the control group ${path} of Sluice is not mounted`;
  const home = join(mount.folder, mount.below);
  // Version 2 wants groups with limits beside those with processes, but for the root.
  if (version === 1 || mount.below === '/') return { version, home, parent: home };
  // What is beside a unit belongs to systemd.
  if (/\.(service|scope|slice)$/.test(home)) return `systemd has not delegated the control group ${path} to Sluice`;
  return { version, home, parent: dirname(home) };
}

function pathBelow(root: string, path: string): string | null {
  if (path.startsWith('/..')) return null;
  if (root === '/') return path;
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) || '/' : null;
}

/** The kernel writes blanks and the like as octal numbers. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
