import { expect, test } from '@jest/globals';
import { openEngineCourse } from '../testing/engine-course.ts';

/* kill -9 of the process that fills a backfill, starts runs by data and by ends, looks at waits and calls; another goes on. */

/** How many of the points are walked: evenly over the course, before and after commits in turn. `npm run fault -- F4` walks all. */
const WALKED = 6;

test('backfills, data, ends, waits and calls lose nothing and double nothing, wherever their process is killed', async () => {
  const course = await openEngineCourse();
  const { points } = course;
  const chosen = Array.from(
    { length: WALKED },
    (_, index) => points[Math.floor(((index + 0.5) * points.length) / WALKED)] ?? '',
  );
  const walk = async (): Promise<void> => {
    for (let at = chosen.shift(); at !== undefined; at = chosen.shift()) {
      const { reached, found, wanted } = await course.killedAt(at);
      expect({ at, reached, found }).toEqual({ at, reached: true, found: wanted });
    }
  };
  // Two at once: most of the time is the start of a process.
  await Promise.all([walk(), walk()]);
  await course.close();
}, 120_000);
