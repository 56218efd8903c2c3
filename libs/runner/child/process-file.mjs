// The record of started process groups: one append-only file per writer, so that a successor can end what a
// kill -9 left behind. First line: JSON about the owner. Then `+ pid start` and `- pid`. The start time (clock
// ticks since boot) tells a process from a later one that got the same pid.
import fs from 'node:fs';

/** Start time of a process in clock ticks since boot; null when it is gone (or there is no /proc). */
export function startTicks(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command name may hold spaces and brackets: count fields from its closing bracket. Zombies are gone.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields[19];
  } catch {
    return null;
  }
}

export function bootId() {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

/** Reads one record file: its header and the groups that were started and not seen to end. */
export function readProcessFile(file) {
  const [header = '{}', ...lines] = fs.readFileSync(file, 'utf8').split('\n');
  const groups = new Map();
  for (const line of lines) {
    const [sign, pid, start] = line.split(' ');
    if (sign === '+') groups.set(Number(pid), start);
    else if (sign === '-') groups.delete(Number(pid));
  }
  return { header: JSON.parse(header), groups };
}

/** Kills a group if its leader is still the process that was recorded, or is gone while others of the group live on. */
export function killGroup(pid, start) {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  const now = startTicks(pid);
  // A pid is not given out again while a group of that number has members: a missing leader cannot be a stranger's.
  if (now !== null && now !== start) return false;
  try {
    process.kill(-pid, 'SIGKILL');
    return true;
  } catch {
    return false; // the group has no members any more
  }
}

/**
 * Kills whatever carries `SLUICE_PROCESS=<marker>` in its environment: processes that left their group. A marker without
 * a number means all processes of a launcher, with one (`<launcher>.<id>`) those of one process.
 */
export function killMarked(marker, except = process.pid) {
  let names = [];
  try {
    names = fs.readdirSync('/proc');
  } catch {
    return 0; // no /proc: groups are all that can be found
  }
  return names.filter((name) => /^\d+$/.test(name) && killIfMarked(Number(name), marker, except)).length;
}

function killIfMarked(pid, marker, except) {
  if (pid <= 1 || pid === except) return false;
  try {
    const environment = `\0${fs.readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
    if (!environment.includes(`\0SLUICE_PROCESS=${marker}\0`) && !environment.includes(`\0SLUICE_PROCESS=${marker}.`))
      return false;
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false; // ended meanwhile, or somebody else's
  }
}
