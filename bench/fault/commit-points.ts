import { isDeepStrictEqual } from 'node:util';
import type { CrashCourse } from '../../libs/testing/crash-course.ts';
import { openEngineCourse } from '../../libs/testing/engine-course.ts';
import { openPromotionCourses, PROMOTION_ENDS } from '../../libs/testing/promotion-course.ts';
import { readArguments } from '../read-arguments.ts';
import { FaultPostgres } from './fault-postgres.ts';
import { codeHash, readResults, storeResults, thisMachine } from './results.ts';

// `npm run fault -- F4`: kills a process before and after each of its commits, and lets another end what it began.

const FAULT = {
  fault: 'F4',
  does: 'kill -9 before and after each commit of the engine and of promotions; another process goes on',
  promises: 'what is left is what an undisturbed process leaves',
};
/** Most of the time is the start of a process. */
const AT_ONCE = 2;
/** How often a point is tried to which the process did not come. */
const TRIES = 10;

interface Walked {
  /** Kills by course and point. */
  readonly points: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
}

const USAGE = 'npm run fault -- F4 [--times 3] [--again]';
const { values } = readArguments(USAGE, {
  options: { times: { type: 'string', default: '3' }, again: { type: 'boolean', default: false } },
});
const times = Number(values.times);
if (!(Number.isInteger(times) && times >= 1 && times <= 1000)) {
  process.stderr.write(`error: --times ${values.times}: expected a whole number from 1 to 1000\nhint: ${USAGE}\n`);
  process.exit(2);
}
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const code = await codeHash();
const known = values.again ? null : await readResults<Walked>('F4', { code });
const points: Record<string, number> = { ...known?.points };
const violations: string[] = [...(known?.violations ?? [])];
say(`F4: ${FAULT.does}\n  ${FAULT.promises}`);

const postgres = await FaultPostgres.start({ durable: false });
process.env.SLUICE_TEST_DATABASE_URL = postgres.url;
const engine = await openEngineCourse();
const promotions = await openPromotionCourses();
try {
  await walk(engine);
  for (const release of Object.keys(PROMOTION_ENDS) as (keyof typeof PROMOTION_ENDS)[]) {
    const course = await promotions.of(release);
    await walk(course);
    await course.close();
  }
} finally {
  await engine.close();
  await promotions.close();
  await postgres.close();
}
const kills = Object.values(points).reduce((sum, count) => sum + count, 0);
say(`\n  points           ${Object.keys(points).length}\n  kills            ${kills}`);
say(`  violations       ${violations.length}`);
for (const violation of violations.slice(0, 50)) say(`  - ${violation}`);
process.exitCode = violations.length === 0 ? 0 : 1;

async function walk({ name, points: passed, killedAt }: CrashCourse): Promise<void> {
  const open = passed.flatMap((point) => {
    const left = times - (points[`${name}: ${point}`] ?? 0);
    return Array.from({ length: Math.max(0, left) }, () => point);
  });
  say(`  ${name}: ${passed.length} points, ${open.length} kills to come`);
  const walkOn = async (): Promise<void> => {
    for (let point = open.shift(); point !== undefined; point = open.shift()) {
      const key = `${name}: ${point}`;
      let tried = await killedAt(point);
      for (let tries = 1; !tried.reached && tries < TRIES; tries++) tried = await killedAt(point);
      const { reached, found, wanted } = tried;
      if (reached) points[key] = (points[key] ?? 0) + 1;
      else say(`  ${key}: not reached in ${TRIES} tries`);
      if (!isDeepStrictEqual(found, wanted))
        violations.push(`${key}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
      await storeResults('F4', { ...FAULT, code, machine: thisMachine(), times, violations, points });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, walkOn));
}
