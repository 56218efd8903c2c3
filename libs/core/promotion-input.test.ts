import { describe, expect, test } from '@jest/globals';
import { buildBelow, inputAnswer } from './promotion-input.ts';
import { PROMOTION_STATES } from './promotion.ts';

test('a build waits while its promotion does, and is stopped only by who decides against it', () => {
  const by = (answer: ReturnType<typeof inputAnswer>) =>
    PROMOTION_STATES.filter((state) => inputAnswer(state) === answer);
  expect({ waits: by(null), goesOn: by('proceed'), stops: by('abort') }).toEqual({
    waits: ['queued', 'gates', 'approval'],
    goesOn: ['window', 'verifying', 'verified', 'failed', 'rolled_back'],
    stops: ['rejected', 'expired', 'superseded', 'cancelled'],
  });
});

describe('a build is below its server', () => {
  test.each([
    ['https://ci.example/jenkins', 'https://ci.example/jenkins/job/a/job/main/7', '/jenkins/job/a/job/main/7/'],
    ['https://ci.example/', 'https://CI.example:443/job/a%20b/7/', '/job/a%20b/7/'],
  ])('%s has %s', (server, build, path) => {
    expect(buildBelow(server, build)).toBe(`https://ci.example${path}`);
  });

  test.each([
    'https://ci.example/other/job/a/7/',
    'https://ci.example/jenkinsx/job/a/7/',
    'https://ci.example/jenkins/../job/a/7/',
    'https://ci.example/jenkins/%2e%2e/job/a/7/',
    'https://ci.example/jenkins/..%2fjob/a/7/',
    'https://ci.example/jenkins/..%5cjob/a/7/',
    'http://ci.example/jenkins/job/a/7/',
    'https://ci.example:8443/jenkins/job/a/7/',
    'https://ci.example@evil.example/jenkins/job/a/7/',
    'https://u:p@ci.example/jenkins/job/a/7/',
    'https://ci.example/jenkins/job/a/7/?x=/',
    'https://ci.example/jenkins/job/a/7/#/',
    'javascript:1',
    '',
  ])('and not %s', (build) => {
    expect(buildBelow('https://ci.example/jenkins', build)).toBeNull();
  });
});
