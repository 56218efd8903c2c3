import { expect, test } from '@jest/globals';
import { closeEnough } from './close-enough.ts';

test.each<[string, string, string, number, boolean]>([
  ['a.json', '{"w":[1,2.0]}', '{ "w": [1.0000001, 2] }', 1e-6, true],
  ['a.json', '{"w":1}', '{"w":1.1}', 1e-6, false],
  ['a.json', '{"a":1,"b":2}', '{"b":2,"a":1}', 0, true],
  ['a.json', '{"a":1}', '{"a":1,"b":2}', 1, false],
  ['a.json', '{"a":"1.0"}', '{"a":"1.1"}', 1, false],
  ['a.json', '[1]', '{"0":1}', 1, false],
  ['a.json', '{"__proto__":1}', '{"__proto__":1.0000001}', 1e-6, true],
  ['a.json', '{"a":', '{"a":', 1, false],
  ['a.json', '1e10', '10000000001', 1e-9, true],
  ['a.json', '0', '1e-9', 1e-9, true],
  ['a.ndjson', '{"a":1}\n{"a":2}\n', '{"a":1}\r\n{"a":2.0000000001}', 1e-9, true],
  ['a.jsonl', '1\n2', '1', 1, false],
  ['a.csv', 'id,x\n1,0.5\n', 'id,x\n1,0.50000001\n', 1e-6, true],
  ['a.csv', 'id,x\n1,0.5\n', 'id,y\n1,0.5\n', 1, false],
  ['a.csv', 'a,1\n', 'a,1,2\n', 1, false],
  ['a.csv', '"a,b",1', '"a,b",1.0000001', 1e-6, true],
  ['a.TSV', 'a\t1', 'a\t1.0000001', 1e-6, true],
  ['a.csv', 'NaN', 'NaN', 0, true],
  ['a.csv', '', '0', 1, false],
  ['a.txt', '1', '1.0000001', 1, false],
  ['a.parquet', 'x', 'x', 1, false],
])('%s: %j and %j within %d is %s', (file, before, after, tolerance, close) => {
  expect(closeEnough(file, before, after, tolerance)).toBe(close);
});
