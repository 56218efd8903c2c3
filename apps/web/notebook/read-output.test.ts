import { expect, test } from '@jest/globals';
import { readOutput } from './read-output.ts';

test.each([
  [
    'what a cell printed',
    { output_type: 'stream', name: 'stdout', text: ['a\n', 'b'] },
    { kind: 'text', text: 'a\nb', isError: false },
  ],
  [
    'an error, without its colours',
    { output_type: 'error', traceback: ['\u001b[0;31mValueError\u001b[0m', 'bad'] },
    { kind: 'text', text: 'ValueError\nbad', isError: true },
  ],
  [
    'an image',
    { output_type: 'display_data', data: { 'image/png': 'iVBO\nRw==', 'text/plain': '<Figure>' } },
    { kind: 'image', address: 'data:image/png;base64,iVBORw==', text: '<Figure>' },
  ],
  [
    'text where an image is none',
    { output_type: 'display_data', data: { 'image/png': '"><script>', 'text/plain': 'x' } },
    { kind: 'text', text: 'x', isError: false },
  ],
  [
    'the text of a table, not its HTML',
    { output_type: 'execute_result', data: { 'text/html': '<table onclick=x>', 'text/plain': ['a b\n', '1 2'] } },
    { kind: 'text', text: 'a b\n1 2', isError: false },
  ],
  ['markdown', { output_type: 'display_data', data: { 'text/markdown': '# Hi' } }, { kind: 'markdown', text: '# Hi' }],
  ['nothing of a script', { output_type: 'display_data', data: { 'application/javascript': 'alert(1)' } }, null],
  [
    'nothing of a picture that can hold scripts',
    { output_type: 'display_data', data: { 'image/svg+xml': '<svg/>' } },
    null,
  ],
])('shows %s', (_what, output, shown) => {
  expect(readOutput(output)).toEqual(shown);
});
