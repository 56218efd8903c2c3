import { describe, expect, test } from '@jest/globals';
import { Findings } from './findings.ts';
import { createMasker } from './masker.ts';
import { checkOutput, parseMessage } from './protocol.ts';

const SECRET = 'hunter2-hunter2';

describe('lines that mean something', () => {
  test.each([
    ['::metric name=auc value=0.91 step=3::', { kind: 'metric', name: 'auc', value: 0.91, step: 3 }],
    ['::metric value=-1e-3 name="loss/val"::', { kind: 'metric', name: 'loss/val', value: -0.001, step: null }],
    ['::output rows=1200::', { kind: 'output', key: 'rows', value: 1200 }],
    ['::output path=a=b c::', { kind: 'output', key: 'path', value: 'a=b c' }],
    ['::output list=[1,{"a":2}]::', { kind: 'output', key: 'list', value: [1, { a: 2 }] }],
    ['::output id=12345678901234567890::', { kind: 'output', key: 'id', value: '12345678901234567890' }],
    ['::progress 40/100 loading rows::', { kind: 'progress', done: 40, total: 100, label: 'loading rows' }],
    ['::retry-after 1m30s::', { kind: 'retry-after', afterMs: 90_000 }],
    ['::retry-after 45::', { kind: 'retry-after', afterMs: 45_000 }],
    ['::group::loading', null],
    ['::endgroup::', null],
    ['a ::metric name=x value=1:: inside a line', null],
    ['::metricname=x::', null],
  ])('%s', (line, message) => {
    expect(parseMessage(line)).toEqual(message);
  });

  test.each([
    ['::metric name=auc value=NaN::', 'metric auc: the value "NaN" is not a finite number'],
    ['::metric name=auc value=Infinity::', 'metric auc: the value "Infinity" is not a finite number'],
    ['::metric name=auc value=1e999::', 'metric auc: the value Infinity is not a finite number'],
    ['::metric name=auc value=0x10::', 'metric auc: the value "0x10" is not a finite number'],
    ['::metric name=auc::', 'metric auc: the value undefined is not a finite number'],
    ['::metric name=auc value=1 step=1.5::', 'metric auc: the step 1.5 is not a whole number'],
    ['::metric value=1::', 'metric name undefined: expected letters, digits and _ . / - (at most 128)'],
    ['::metric auc 1::', '::metric:: "auc": expected name=… value=… [step=…]'],
    ['::output a b::', '::output:: "a b": expected name=value'],
    ['::output a-b=1::', 'output name "a-b": expected a letter, then letters, digits and _ (at most 63)'],
    ['::progress half::', '::progress:: "half": expected done/total and a label, e.g. 40/100 loading'],
    ['::retry-after 400d::', '::retry-after:: "400d": expected a duration up to 7d, e.g. 60s or 1h30m'],
  ])('%s is refused with a reason', (line, reason) => {
    expect(parseMessage(line)).toEqual({ kind: 'malformed', reason });
  });
});

test('a message on a line too long to be read whole is refused, not lost', () => {
  expect(parseMessage('::output a=xxxxxx', false)).toMatchObject({ kind: 'malformed' });
  expect(parseMessage('::group::xxxxxx', false)).toBeNull();
});

describe('findings', () => {
  function someFindings(): { findings: Findings; said: string[] } {
    const said: string[] = [];
    const findings = new Findings(
      { say: (text) => said.push(text), progress: () => undefined },
      createMasker({ S: SECRET }),
      () => 0,
    );
    return { findings, said };
  }

  test('a value that is refused is shown without its middle, and without a part of a secret', () => {
    for (let before = 0; before < 400; before += 1) {
      const { findings, said } = someFindings();
      findings.add(checkOutput(`${'-'.repeat(before)}${SECRET}${'-'.repeat(400 - before)}`, 1));
      expect(said[0]).not.toContain('hunter');
      expect(said[0]).toMatch(
        /^output name "-*\**-*….+: expected a letter, then letters, digits and _ \(at most 63\)$/,
      );
    }
  });

  test('a summary that is cut, here or where it was read, shows no part of a secret', () => {
    const { findings } = someFindings();
    findings.setSummary(`${'x'.repeat(64 * 1024 - 8)}${SECRET}`);
    expect(findings.summary).toBe(`${'x'.repeat(64 * 1024 - 8)}***`);
    findings.setSummary(`${`${SECRET} `.repeat(10)}${SECRET.slice(0, 10)}`, false);
    expect(findings.summary).toMatch(/^(\*\*\* )+\**$/);
  });

  test('outputs of more than 256 KiB fail the attempt, replaced ones count once', () => {
    const { findings } = someFindings();
    for (let index = 0; index < 10; index += 1)
      findings.add({ kind: 'output', key: 'a', value: 'x'.repeat(200 * 1024) });
    expect(findings.failure).toBeNull();
    findings.add({ kind: 'output', key: 'b', value: 'x'.repeat(60 * 1024) });
    expect(findings.failure).toBe(
      'the outputs are 266254 bytes, at most 262144 are allowed; write large results to a path',
    );
  });

  test('outputs nested too deeply, or with keys of the prototype, do no harm', () => {
    const { findings, said } = someFindings();
    findings.add({ kind: 'output', key: 'deep', value: JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) });
    findings.add({ kind: 'output', key: '__proto__', value: JSON.parse('{"__proto__":{"polluted":true}}') });
    expect(said).toEqual(['output deep: expected JSON (at most 64 levels, no loops, no functions)']);
    expect(Object.keys(findings.outputs)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('a task that talks nonsense is answered a few times only, and metrics are bounded', () => {
    const { findings, said } = someFindings();
    for (let index = 0; index < 1_000; index += 1) findings.add({ kind: 'malformed', reason: `no ${index}` });
    expect(said).toHaveLength(20);
    for (let step = 0; step < 11_000; step += 1) findings.add({ kind: 'metric', name: 'm', value: 1, step });
    expect(findings.metrics).toHaveLength(10_000);
  });
});
