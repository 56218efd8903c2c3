import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GitRepository, Programs } from './test/git-repository.ts';
import { GROOVY, type Recording, removeBuildFolders, runJenkinsfile, runJenkinsfiles } from './test/run-jenkinsfile.ts';

/** A pipeline with one stage. */
const stage = (content: string, around = 'agent none'): string =>
  `pipeline {\n  ${around}\n  stages {\n    stage('one') {\n      ${content}\n    }\n  }\n}\n`;
const steps = (text: string): string => stage(`agent any\n      steps { ${text} }`);
const withSecret = (text: string): string =>
  steps(`withCredentials([string(credentialsId: 'id', variable: 'TOKEN')]) { ${text} }`);

/** What Jenkins refuses, or what must not stand in a Jenkinsfile of ours: the text, and what is said of it. */
const REFUSED: readonly (readonly [string, string, string])[] = [
  ['an unknown step', steps("shel 'true'"), 'unknown step "shel"'],
  ['an unknown directive', stage("agents any\n steps { echo 'x' }"), 'unknown directive "agents" in stage { }'],
  [
    'a step with an unknown argument',
    steps("archiveArtifacts artifact: 'x'"),
    'no parameter artifact; it has artifacts',
  ],
  ['an unknown option', stage("options { timeOut(time: 1) }\n steps { echo 'x' }"), 'unknown directive "timeOut"'],
  [
    'an option of the pipeline on a stage',
    stage("options { disableConcurrentBuilds() }\n steps { echo 'x' }"),
    'whole pipeline',
  ],
  [
    'an option with an unknown parameter',
    stage("options { timeout(minutes: 1) }\n steps { echo 'x' }"),
    'no parameter minutes',
  ],
  ['sh outside of an agent', stage("steps { sh 'true' }"), 'sh outside of an agent'],
  [
    'sh in post without an agent',
    `${steps("echo 'x'").replace(/\}\n$/, '')}post { always { sh 'true' } }\n}\n`,
    'sh outside of an agent',
  ],
  ['sh with a text that Groovy fills in', withSecret('sh "curl $TOKEN"'), 'double-quoted text that Groovy fills in'],
  ['the same by its name', withSecret('sh script: "curl ${TOKEN}", returnStatus: true'), 'that Groovy fills in'],
  ['sh with a double-quoted text', steps('sh "true"'), 'write it in single quotes'],
  ['sh with a text that is put together', withSecret("sh 'curl ' + env.TOKEN"), 'put together'],
  ['the value of a secret in the text', withSecret("sh 'curl s3cr3t-value'"), 'holds the value of a secret'],
  ['an unquoted secret', withSecret("sh 'curl -H $TOKEN'"), '$TOKEN outside of double quotes'],
  [
    'an unquoted answer of a person',
    stage("input { message 'Go?'; submitterParameter 'BY' }\n agent any\n steps { sh 'echo $BY' }"),
    '$BY outside',
  ],
  [
    'an input that holds an executor',
    stage("input { message 'Go?' }\n steps { echo 'x' }", 'agent any'),
    'holds 1 executor',
  ],
  ['code between steps', steps("def x = 1; echo 'x'"), 'other code belongs into script { }'],
  ['code in a stage', stage("if (true) { echo 'x' }"), 'only directives and steps'],
  [
    'an environment value that is no text',
    stage("agent any\n environment { A = 1 }\n steps { echo 'x' }"),
    'as Jenkins demands',
  ],
  ['an unknown library', `@Library('nobody') _\n${steps("echo 'x'")}`, 'no shared library "nobody"'],
  ['an unknown name', steps('echo nothing'), '"nothing" in steps { } is neither'],
  ['a milestone that does not grow', steps('milestone(ordinal: 2); milestone(ordinal: 2)'), 'ordinals must grow'],
  ['a stage without steps', stage('agent any'), 'needs steps, stages or parallel'],
  [
    'two stages of one name',
    stage("steps { echo 'x' }").replace('stages {', "stages { stage('one') { steps { echo 'y' } }"),
    'two stages',
  ],
  ['no pipeline', 'def x = 1\n', 'has no pipeline'],
];

// Without Groovy nothing here runs; `npm test` says how to get it (scripts/find-tools.mjs), and in CI that is a failure.
(GROOVY === undefined ? describe.skip : describe)('the recorder', () => {
  let repository: GitRepository;
  let programs: Programs;
  let count = 0;
  beforeAll(() => {
    repository = new GitRepository();
    repository.commit({ 'a.txt': 'from git\n' });
    programs = new Programs({});
  });
  afterAll(() => {
    repository.remove();
    programs.remove();
    removeBuildFolders();
  });

  const settings = (text: string) => {
    const jenkinsfile = join(programs.folder, `Jenkinsfile-${++count}`);
    writeFileSync(jenkinsfile, text);
    const inputs = { one: { approve: 'maria' } };
    return { jenkinsfile, repository: repository.folder, branch: 'main', credentials: { id: 's3cr3t-value' }, inputs };
  };

  describe('refuses', () => {
    let recordings: Recording[];
    beforeAll(async () => {
      recordings = await runJenkinsfiles(REFUSED.map(([, text]) => settings(text)));
    });
    test.each(REFUSED.map(([what, , why], index) => [what, why, index] as const))('%s', (_, why, index) => {
      expect(recordings[index]?.refused).toContain(why);
    });
  });

  test('runs sh lines for real, with the environment of their place, and secrets do not leave it', async () => {
    const build = await runJenkinsfile(
      settings(
        stage(`agent { label 'big' }
          environment { A = 'a'; B = "\${A}b of \${env.BRANCH_NAME}" }
          steps {
            withCredentials([string(credentialsId: 'id', variable: 'TOKEN')]) {
              sh 'cat a.txt; echo "$A $B \${#TOKEN} $TOKEN"'
            }
            sh 'echo "\${TOKEN-gone}"'
            script { if (sh(script: 'exit 3', returnStatus: true) == 3) { echo sh(script: 'echo out', returnStdout: true).trim() } }
            sh 'false | true; false; echo never'
          }`),
      ),
    );
    expect(build.of('ran').map(({ stdout, exit }) => [stdout, exit])).toEqual([
      ['from git\na ab of main 12 ****\n', 0],
      ['gone\n', 0],
      ['', 3],
      ['out\n', 0],
      ['', 1],
    ]);
    expect(build.steps('echo')[0]).toMatchObject({ arguments: { message: 'out' } });
    expect(build.result).toBe('FAILURE');
  });

  test('each agent begins with an empty workspace: only what was stashed crosses stages', async () => {
    const text = `pipeline {
      agent none
      stages {
        stage('one') { agent any
          steps { sh 'mkdir -p x && echo 1 > x/kept && echo 2 > lost'; stash name: 's', includes: 'x/*' } }
        stage('two') { agent any
          options { skipDefaultCheckout() }
          steps { sh 'ls -A'; unstash 's'; sh 'ls -A . x' } }
      }
    }`;
    const build = await runJenkinsfile(settings(text));
    expect(build.of('ran', 'two').map(({ stdout }) => stdout)).toEqual(['', '.:\nx\n\nx:\nkept\n']);
  });

  test('post sections run by the result, cleanup last, and a failed stage lets none follow', async () => {
    const text = `pipeline {
      agent none
      stages {
        stage('one') { steps { error 'no' }
          post { cleanup { echo 'cleanup' }; success { echo 'success' }; failure { echo 'failure' }; always { echo 'always' } } }
        stage('two') { steps { echo 'never' } }
      }
      post { failure { echo "whole build \${env.BUILD_URL}" }; success { echo 'never' } }
    }`;
    const build = await runJenkinsfile({ ...settings(text), number: 7 });
    expect(build.result).toBe('FAILURE');
    expect(build.steps('echo').map(({ arguments: given }) => given)).toEqual(
      ['always', 'failure', 'cleanup', 'whole build https://jenkins.example.com/job/flights/job/main/7/'].map(
        (message) => ({ message }),
      ),
    );
  });
});
