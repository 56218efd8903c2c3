import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PROGRAM_ROOT } from '../../apps/standalone/standalone-fixture.ts';
import { changesIn, groupZones, POLICIES, SIXTY_CRONS, sweepAround } from '../../libs/dag/fixtures/cron-sweep.ts';
import { readArguments } from '../read-arguments.ts';

// `npm run fault -- cron`: sixty crons under every policy against the minute oracle, around every change of every zone.

const USAGE = 'npm run fault -- cron [--from 2020] [--to 2030]';
const { values } = readArguments(USAGE, {
  options: { from: { type: 'string', default: '2020' }, to: { type: 'string', default: '2030' } },
});
const [from, to] = [Number(values.from), Number(values.to)];
if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 1975 && from <= to && to <= 2100)) {
  process.stderr.write(
    `error: --from ${values.from} --to ${values.to}: expected years from 1975 to 2100\nhint: ${USAGE}\n`,
  );
  process.exit(2);
}

const began = performance.now();
// Every day is asked for its offset, so that a change that is taken back within the week is found too.
const groups = groupZones(['UTC', ...Intl.supportedValuesOf('timeZone')], from, to, 1);
const totals = { zones: 0, groups: groups.length, changes: 0, comparisons: 0, fires: 0 };
const mismatches: string[] = [];
for (const group of groups) {
  // Each by its own name: the walker reads the zone itself and knows nothing of the group.
  for (const zone of group.zones) {
    totals.zones += 1;
    for (const minute of changesIn(group)) {
      const swept = sweepAround(group, zone, minute, () => POLICIES);
      totals.changes += 1;
      totals.comparisons += swept.comparisons;
      totals.fires += swept.fires;
      mismatches.push(...swept.mismatches);
    }
  }
  process.stdout.write(
    `${totals.zones} zones, ${totals.changes} changes, ${totals.comparisons} comparisons, ${mismatches.length} mismatches\n`,
  );
}
const report = {
  machine: { processors: os.availableParallelism(), memoryGb: Math.round(os.totalmem() / 1e9), node: process.version },
  timeZoneData: process.versions.tz ?? null,
  years: [from, to],
  crons: SIXTY_CRONS.length,
  policies: POLICIES.length,
  ...totals,
  seconds: Math.round((performance.now() - began) / 100) / 10,
  mismatches: mismatches.slice(0, 100),
};
const folder = path.join(PROGRAM_ROOT, 'bench', 'results');
await mkdir(folder, { recursive: true });
await writeFile(path.join(folder, 'fault-cron.json'), `${JSON.stringify(report, null, 2)}\n`);
process.exitCode = mismatches.length === 0 ? 0 : 1;
