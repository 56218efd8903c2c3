import { describe, expect, test } from '@jest/globals';
import { ciBuild } from './ci-build.ts';

describe('the build of a CI system', () => {
  test.each([
    [
      'Jenkins',
      { BUILD_URL: 'https://j/job/a/7/', BRANCH_NAME: 'main' },
      { url: 'https://j/job/a/7/', branch: 'main' },
    ],
    [
      'a pull request in Jenkins',
      { BUILD_URL: 'https://j/job/a/7/', BRANCH_NAME: 'PR-7', CHANGE_BRANCH: 'feature/x' },
      { url: 'https://j/job/a/7/', branch: 'feature/x' },
    ],
    [
      'GitHub',
      {
        GITHUB_ACTIONS: 'true',
        GITHUB_SERVER_URL: 'https://github.com',
        GITHUB_REPOSITORY: 'a/b',
        GITHUB_RUN_ID: '7',
        GITHUB_REF_NAME: 'main',
        GITHUB_HEAD_REF: '',
      },
      { url: 'https://github.com/a/b/actions/runs/7', branch: 'main' },
    ],
    [
      'GitLab',
      { GITLAB_CI: 'true', CI_PIPELINE_URL: 'https://gitlab.com/a/b/-/pipelines/7', CI_COMMIT_BRANCH: 'main' },
      { url: 'https://gitlab.com/a/b/-/pipelines/7', branch: 'main' },
    ],
    ['none', { BRANCH_NAME: 'main' }, { url: null, branch: null }],
    ['one with an address that is none', { BUILD_URL: 'javascript:x' }, { url: null, branch: null }],
  ])('is told by the variables of %s', (_, env, build) => expect(ciBuild(env)).toEqual(build));
});
