import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openPromotionCourses, PROMOTION_ENDS, type PromotionCourses } from '../testing/promotion-course.ts';

/* kill -9 before and after each commit of a promotion; another process takes it on, and the end is the same. */

let courses: PromotionCourses;
beforeAll(async () => {
  courses = await openPromotionCourses();
});
afterAll(() => courses.close());

const walked = new Set<string>();

test.each(Object.entries(PROMOTION_ENDS))(
  'a promotion of a release that is %s ends %s, wherever it was killed',
  async (release) => {
    const course = await courses.of(release as keyof typeof PROMOTION_ENDS);
    // What promotions of all releases pass is walked with the first.
    const open = course.points.filter((point) => !walked.has(point));
    const walk = async (): Promise<void> => {
      for (let at = open.shift(); at !== undefined; at = open.shift()) {
        walked.add(at);
        const { reached, found, wanted } = await course.killedAt(at);
        expect({ at, reached, found }).toEqual({ at, reached: true, found: wanted });
      }
    };
    // Two at once: most of the time is the start of a process.
    await Promise.all([walk(), walk()]);
    await course.close();
  },
  180_000,
);

test('every kind of commit was among the points', () => {
  expect([...walked].filter((point) => point.startsWith('before')).sort()).toMatchInlineSnapshot(`
   [
     "before begin",
     "before gate checks passed",
     "before gate provenance passed",
     "before gate smoke failed",
     "before gate smoke passed",
     "before gate smoke pending",
     "before gate validate passed",
     "before move approval",
     "before move failed",
     "before move verified",
     "before move window",
     "before note",
     "before roll back",
     "before runs smoke",
     "before runs verification",
     "before switch",
   ]
  `);
});
