import { expect, test } from '@jest/globals';
import { readRepr } from './python-repr.ts';
import { TypedValue } from './typed-value.ts';

const output = (task: string, key = 'return_value') => new TypedValue('xcom', { task, key });
const argument = (key: string) => new TypedValue('mapped', { key });

test.each([
  ['(XComArg(<Task(_PythonDecoratedOperator): load.read>),)', [output('load.read')]],
  ["[XComArg(<Mapped(BashOperator): a>, 'rows'), -1.5, 1e3]", [output('a', 'rows'), -1.5, 1000]],
  ["{'a': True, 'b': None, \"c's\": []}", { a: true, b: null, "c's": [] }],
  [
    "MappedArgument(_input=DictOfListsExpandInput(value={'r': XComArg(<Task(X): t>), 's': [', _key=', ')']}), _key='r')",
    argument('r'),
  ],
  [String.raw`'it\'s\n\x41\u00e4'`, "it's\nAä"],
  ['()', []],
])('%s is read', (text, value) => {
  expect(readRepr(text)).toEqual(value);
});

test.each([
  'echo XComArg(<Task(X): t>)',
  'XComArg(<Task(X): t>).map(f)',
  'MappedArgument(_input=1',
  "MappedArgument(_key='a')",
  '<function f at 0x7f>',
  '{1: 2}',
  "'open",
  '[1 2]',
  '',
  '['.repeat(100_000),
])('%#: what is no plain value is left as it is', (text) => {
  expect(readRepr(text)).toBeUndefined();
});
