import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { bindShell } from './shell-text.ts';
import { bindSql } from './sql-text.ts';

describe('expressions in shell text', () => {
  test.each([
    ['echo ${{ a }}', 'echo "${__E1}"'],
    ['echo "x ${{ a }} y"', 'echo "x ${__E1} y"'],
    ['t.py --lr ${{ a }} --d=${{ b }} ${{ a }}', 't.py --lr "${__E1}" --d="${__E2}" "${__E1}"'],
    ['echo \'it\'"s ${{ a }}"', 'echo \'it\'"s ${__E1}"'],
    ['echo "$(cat ${{ a }})" ${{ b }}', 'echo "$(cat "${__E1}")" "${__E2}"'],
    ['for i in ${{ a }}; do echo "$i"; done', 'for i in "${__E1}"; do echo "$i"; done'],
    ['case ${{ a }} in x) echo "${{ b }}";; esac', 'case "${__E1}" in x) echo "${__E2}";; esac'],
    [
      'x=$(case y in y) echo ${{ a }};; esac); echo "${{ b }}"',
      'x=$(case y in y) echo "${__E1}";; esac); echo "${__E2}"',
    ],
    ['[[ ${{ a }} == x ]] && echo ${{ b }}', '[[ "${__E1}" == x ]] && echo "${__E2}"'],
    ['export X=${{ a }}', 'export X="${__E1}"'],
    ['tee >(cat ${{ a }}) <<< ${{ b }}', 'tee >(cat "${__E1}") <<< "${__E2}"'],
    ['echo a#b ${{ a }} # note', 'echo a#b "${__E1}" # note'],
    ['cat <<EOF\nbody\nEOF\necho ${{ a }}', 'cat <<EOF\nbody\nEOF\necho "${__E1}"'],
    ['python3 train.py -c ${{ a }}', 'python3 train.py -c "${__E1}"'],
    ['echo ${{ "}}" }}', 'echo "${__E1}"'],
    ['echo hello', 'echo hello'],
  ])('%j becomes %j', (text, expected) => {
    expect(bindShell(text)).toMatchObject({ text: expected, faults: [] });
  });

  test.each([
    ["echo '${{ a }}'", 'An expression stands in single quotes, where bash replaces nothing.'],
    ["echo $'${{ a }}'", "An expression stands in $'…', where bash replaces nothing."],
    ['echo `ls ${{ a }}`', 'An expression stands in backticks, where quoting is undone.'],
    ['# ${{ a }}', 'An expression stands in a comment.'],
    ['cat <<EOF\n${{ a }}\nEOF', 'An expression stands in a here-document, where it is not safe to replace it.'],
    [
      "cat <<-'E F'\n\t${{ a }}\n\tE F\n",
      'An expression stands in a here-document, where it is not safe to replace it.',
    ],
    ['echo ${X:-${{ a }}}', 'An expression stands inside ${…}, where bash would read it as part of the expansion.'],
    ['echo $((${{ a }} + 1))', 'An expression stands in arithmetic, which bash evaluates as code.'],
    ['if (( ${{ a }} )); then :; fi', 'An expression stands in arithmetic, which bash evaluates as code.'],
    ['[[ ${{ a }} -eq 1 ]]', 'An expression stands in arithmetic, which bash evaluates as code.'],
    ['[[ 1 -lt ${{ a }} ]]', 'An expression stands in arithmetic, which bash evaluates as code.'],
    ['list[${{ a }}]=1', 'An expression stands in arithmetic, which bash evaluates as code.'],
    ['echo \\${{ a }}', 'An expression follows a backslash or a dollar sign, which would change what bash reads.'],
    ['echo $${{ a }}', 'An expression follows a backslash or a dollar sign, which would change what bash reads.'],
    ['python3 -c "print(${{ a }})"', 'An expression stands in text that another interpreter reads as code.'],
    ['bash -euo pipefail -c "echo ${{ a }}"', 'An expression stands in text that another interpreter reads as code.'],
    ['/usr/bin/env node --eval="${{ a }}"', 'An expression stands in text that another interpreter reads as code.'],
    ['psql -c "select ${{ a }}"', 'An expression stands in text that another interpreter reads as code.'],
    ['eval ${{ a }}', 'An expression stands in text that another interpreter reads as code.'],
    ['ssh host ls ${{ a }}', 'An expression stands in text that another interpreter reads as code.'],
    ['awk "{ print ${{ a }} }"', 'An expression stands in text that another interpreter reads as code.'],
    ['export ${{ a }}', 'An expression stands where bash expects the name of a variable, which it evaluates as code.'],
    [
      'printf -v ${{ a }} x',
      'An expression stands where bash expects the name of a variable, which it evaluates as code.',
    ],
    ['echo "open ${{ a }}', 'An expression cannot be placed, because a quote in this script is never closed.'],
    ['echo ${{ a', '"${{" is never closed by "}}".'],
  ])('%j is refused', (text, message) => {
    const { faults } = bindShell(text);
    expect(faults.map((fault) => fault.message)).toEqual([message]);
    expect(faults[0]?.offset).toBe(text.indexOf('${{'));
    expect(faults[0]?.hint).toMatch(/\.$/);
  });
});

describe('values in a real bash', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-shell-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const PLACES = [
    'printf %s ${{ a }}',
    'printf %s "${{ a }}"',
    'x=${{ a }}; printf %s "$x"',
    'printf %s "$(printf %s ${{ a }})"',
    'case ${{ a }} in *) printf %s ${{ a }};; esac',
    'for i in ${{ a }}; do printf %s "$i"; done',
    'cat <<< ${{ a }} | head -c -1',
    '[[ ${{ a }} == zzz ]] || printf %s ${{ a }}',
    'f() { printf %s "$1"; }; f ${{ a }}',
  ];
  const VALUES = [
    '$(touch canary)',
    '`touch canary`',
    '"; touch canary; "',
    "'; touch canary; '",
    '\n touch canary\n;',
    '${IFS}; touch canary',
    'a[$(touch canary)]',
    '* ? [a-z] ~ {a,b} !! \\n \\',
    '--version',
    'x=$((touch canary))',
    '|| touch canary & touch canary',
    '<(touch canary)',
    '\u202e ümläut \u0007',
  ];

  test.each(PLACES)('%s hands every value on unchanged and executes none', (place) => {
    const { text, expressions } = bindShell(place);
    expect(expressions).toEqual({ __E1: 'a' });
    for (const value of VALUES) {
      const env = { PATH: process.env.PATH, __E1: value, LC_ALL: 'C.UTF-8' };
      const output = execFileSync('bash', ['-euo', 'pipefail', '-c', text], {
        cwd: folder,
        env,
        encoding: 'utf8',
        // With a socket as stdin bash takes itself for a remote shell and reads bashrc.
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      expect(output).toBe(value);
    }
    expect(existsSync(path.join(folder, 'canary'))).toBe(false);
  });
});

describe('expressions in SQL text', () => {
  test('become calls of getvariable', () => {
    expect(bindSql("select ${{ a }}, 'it''s' || ${{ b }}, ${{ a }} -- end")).toEqual({
      text: "select getvariable('__E1'), 'it''s' || getvariable('__E2'), getvariable('__E1') -- end",
      expressions: { __E1: 'a', __E2: 'b' },
      faults: [],
    });
  });

  test.each([
    ["select '${{ a }}'", 'An expression stands inside a quoted SQL text, where it would not be replaced.'],
    ['select "${{ a }}"', 'An expression stands inside a quoted identifier, and identifiers cannot come from values.'],
    ['select $$ ${{ a }} $$', 'An expression stands inside a dollar-quoted text, where it would not be replaced.'],
    ['select 1 -- ${{ a }}', 'An expression stands inside a SQL comment.'],
    ['select /* ${{ a }} */ 1', 'An expression stands inside a SQL comment.'],
  ])('%j is refused', (text, message) => {
    expect(bindSql(text).faults.map((fault) => fault.message)).toEqual([message]);
  });
});
