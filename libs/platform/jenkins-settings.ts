import type { Secret } from './secret.ts';
import { secretVariable } from './secret-variable.ts';

/** The Jenkins whose builds wait for promotions. */
export interface JenkinsSettings {
  /** SLUICE_JENKINS_URL, with a slash at the end: the address that Jenkins itself gives its builds. */
  readonly url: string;
  /** SLUICE_JENKINS_USER: in whose name inputs are answered. */
  readonly user: string;
  /** SLUICE_JENKINS_TOKEN, or the content of the file SLUICE_JENKINS_TOKEN_FILE: an API token of this user. */
  readonly token: Secret;
}

/** The part of the configuration's reader that this needs. */
interface Reader {
  text(name: string): string | null;
  matching(name: string, pattern: RegExp, expected: string): string | null;
  url(name: string, protocols: readonly string[]): string | null;
  /** Notes that a variable does not fit; `shown` must not be a secret. */
  wrong(name: string, shown: string, expected: string): null;
}

/** Null when none of them is set, or what is set does not fit. */
export function readJenkinsSettings(read: Reader): JenkinsSettings | null {
  const url = read.url('SLUICE_JENKINS_URL', ['http:', 'https:']);
  const user = read.matching('SLUICE_JENKINS_USER', /^[^\s:]{1,128}$/, 'the name of a user, without spaces and colons');
  const token = secretVariable(read, 'SLUICE_JENKINS_TOKEN', 1);
  if (url !== null && user !== null && token !== null) return { url: url.replace(/\/*$/, '/'), user, token };
  const given = { SLUICE_JENKINS_URL: url, SLUICE_JENKINS_USER: user, SLUICE_JENKINS_TOKEN: token };
  for (const [name, value] of Object.entries(given))
    if (value === null && Object.values(given).some((other) => other !== null))
      read.wrong(
        name,
        'missing',
        'all three of SLUICE_JENKINS_URL, SLUICE_JENKINS_USER and SLUICE_JENKINS_TOKEN, or none',
      );
  return null;
}
