import { describe, expect, test } from '@jest/globals';
import type { CheckedFile } from '../project/check-project.ts';
import type { Style } from '../output/style.ts';
import { humanProblems } from './human.ts';
import { machineReport } from './machine.ts';

const PLAIN = new Proxy({} as Style, { get: () => (text: string) => text });

const FILES: CheckedFile[] = [
  { path: 'dags/good.yaml', text: 'name: good\n', problems: [] },
  {
    path: 'dags/a b,c.yaml',
    text: 'name: x\ntasks:\n\tbad: { rn: "é <b>" }\n',
    problems: [
      {
        file: 'dags/a b,c.yaml',
        line: 3,
        column: 9,
        message: 'unknown key "rn"\u001b[2J <&>',
        hint: 'Did you mean "run"? 100%',
      },
      { file: 'dags/a b,c.yaml', line: 99, column: 1, message: 'second' },
    ],
  },
];

describe('problems for people', () => {
  test('one line each, the hint below, nothing that steers a terminal', () => {
    expect(humanProblems(FILES, PLAIN, { excerpt: false })).toEqual([
      'dags/a b,c.yaml:3:9: error: unknown key "rn" <&>',
      '  hint: Did you mean "run"? 100%',
      'dags/a b,c.yaml:99:1: error: second',
    ]);
  });

  test('a terminal sees the line with a caret below the place', () => {
    const lines = humanProblems(FILES, PLAIN, { excerpt: true });
    expect(lines.slice(1, 3)).toEqual([' 3 |  bad: { rn: "é <b>" }', '   |         ^']);
  });

  test('a very long line is shown around the place', () => {
    const text = `${'x'.repeat(500)}HERE${'y'.repeat(500)}`;
    const problems = [{ file: 'f', line: 1, column: 501, message: 'm' }];
    const [, line, caret] = humanProblems([{ path: 'f', text, problems }], PLAIN, { excerpt: true });
    expect(line?.length).toBeLessThan(140);
    expect(line?.slice(caret?.indexOf('^'), (caret?.indexOf('^') ?? 0) + 4)).toBe('HERE');
  });
});

describe('problems for programs', () => {
  test('JSON', () => {
    const { valid, files, problems } = JSON.parse(machineReport(FILES, 'json', '1.0.0')) as Record<string, unknown[]>;
    expect([valid, files, problems?.length]).toEqual([false, ['dags/good.yaml', 'dags/a b,c.yaml'], 2]);
  });

  test('JUnit: one test case per file, text that XML can hold', () => {
    expect(machineReport(FILES, 'junit', '1.0.0')).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1">
  <testsuite name="sluice validate" tests="2" failures="1" errors="0" skipped="0">
    <testcase classname="sluice.validate" name="dags/good.yaml" file="dags/good.yaml"/>
    <testcase classname="sluice.validate" name="dags/a b,c.yaml" file="dags/a b,c.yaml">
      <failure message="unknown key &quot;rn&quot;\ufffd[2J &lt;&amp;&gt;" type="invalid_config">dags/a b,c.yaml:3:9: unknown key &quot;rn&quot;\ufffd[2J &lt;&amp;&gt;
  hint: Did you mean &quot;run&quot;? 100%
dags/a b,c.yaml:99:1: second</failure>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  test('SARIF 2.1.0 with places', () => {
    const report = JSON.parse(machineReport(FILES, 'sarif', '1.0.0')) as {
      version: string;
      runs: { results: { locations: { physicalLocation: unknown }[] }[] }[];
    };
    expect(report.version).toBe('2.1.0');
    expect(report.runs[0]?.results[0]?.locations[0]?.physicalLocation).toEqual({
      artifactLocation: { uri: 'dags/a%20b%2Cc.yaml', uriBaseId: '%SRCROOT%' },
      region: { startLine: 3, startColumn: 9 },
    });
  });

  test('GitHub annotations cannot be broken out of', () => {
    expect(machineReport(FILES, 'github', '1.0.0').split('\n')[0]).toBe(
      '::error file=dags/a b%2Cc.yaml,line=3,col=9,title=sluice validate::unknown key "rn" <&>%0ADid you mean "run"? 100%25',
    );
  });
});
