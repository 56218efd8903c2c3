import { expect, test } from '@jest/globals';
import { processorPlace } from './processor-place.ts';

const V1 = '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct';
const CPUSET = '34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset';
const V2 = '41 31 0:38 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
const HYBRID = '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw';
const at = (version: 1 | 2, home: string, parent = home): object => ({ version, home, parent });

test.each([
  ['version 1', [CPUSET, V1], ['4:cpuset:/x', '3:cpu,cpuacct:/'], at(1, '/sys/fs/cgroup/cpu,cpuacct/')],
  [
    'version 1, in a unit',
    [V1],
    ['3:cpu,cpuacct:/system.slice/sluice.service'],
    at(1, '/sys/fs/cgroup/cpu,cpuacct/system.slice/sluice.service'),
  ],
  [
    'version 1, in a container that sees its own part',
    ['32 31 0:29 /docker/4f /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu'],
    ['3:cpu:/docker/4f'],
    at(1, '/sys/fs/cgroup/cpu/'),
  ],
  ['version 1 beside 2', [HYBRID, V1], ['1:cpu,cpuacct:/a', '0::/b'], at(1, '/sys/fs/cgroup/cpu,cpuacct/a')],
  ['a folder with blanks', [V1.replace('/sys/fs', '/a\\040b')], ['1:cpu:/'], at(1, '/a b/cgroup/cpu,cpuacct/')],
  [
    'version 2, beside the subgroup of a unit',
    [V2],
    ['0::/system.slice/sluice.service/main'],
    at(2, '/sys/fs/cgroup/system.slice/sluice.service/main', '/sys/fs/cgroup/system.slice/sluice.service'),
  ],
  ['version 2, beside a group below the root', [V2], ['0::/init'], at(2, '/sys/fs/cgroup/init', '/sys/fs/cgroup')],
  ['version 2, in the root', [V2], ['0::/'], at(2, '/sys/fs/cgroup/')],
  [
    'nowhere: the unit is not delegated',
    [V2],
    ['0::/system.slice/sluice.service'],
    'systemd has not delegated the control group /system.slice/sluice.service to Sluice',
  ],
  [
    'nowhere: it is a login',
    [V2],
    ['0::/user.slice/user-1000.slice/session-3.scope'],
    'systemd has not delegated the control group /user.slice/user-1000.slice/session-3.scope to Sluice',
  ],
  ['nowhere: it is not mounted', [CPUSET], ['1:cpu:/a'], 'the control group /a of Sluice is not mounted'],
  ['nowhere: it is outside of what is seen', [V2], ['0::/../b'], 'the control group /../b of Sluice is not mounted'],
  [
    'nowhere: a part that is not ours is mounted',
    ['32 31 0:29 /docker/4f /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu'],
    ['3:cpu:/docker/4f5'],
    'the control group /docker/4f5 of Sluice is not mounted',
  ],
  ['nowhere: there are none', [], [], null],
])('%s', (_title, mounts, groups, expected) => {
  expect(processorPlace(mounts.join('\n'), `${groups.join('\n')}\n`)).toEqual(expected);
});
