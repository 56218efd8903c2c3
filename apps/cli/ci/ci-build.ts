export interface CiBuild {
  /** Address of the build's page. */
  readonly url: string | null;
  /** What is built. A CI system checks out a commit, so git itself cannot say. */
  readonly branch: string | null;
}

/** The build of Jenkins, GitHub Actions or GitLab CI that this process belongs to, as their variables tell it; nulls outside of one. */
export function ciBuild(env: Readonly<Record<string, string | undefined>>): CiBuild {
  if (env.GITHUB_ACTIONS === 'true') {
    const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = env;
    const known = server !== undefined && repository !== undefined && run !== undefined;
    const url = known ? `${server}/${repository}/actions/runs/${run}` : undefined;
    return { url: webAddress(url), branch: env.GITHUB_HEAD_REF || env.GITHUB_REF_NAME || null };
  }
  if (env.GITLAB_CI === 'true')
    return {
      url: webAddress(env.CI_PIPELINE_URL),
      branch: env.CI_COMMIT_BRANCH || env.CI_MERGE_REQUEST_SOURCE_BRANCH_NAME || null,
    };
  // Jenkins names the branch of a pull request PR-7 and tells the real one apart.
  if (env.BUILD_URL !== undefined)
    return { url: webAddress(env.BUILD_URL), branch: env.CHANGE_BRANCH || env.BRANCH_NAME || null };
  return { url: null, branch: null };
}

/** Anything else is not worth showing as a link. */
function webAddress(text: string | undefined): string | null {
  return text !== undefined && /^https?:\/\/\S+$/.test(text) ? text : null;
}
