import { describe, expect, test } from '@jest/globals';
import { createLog, NestLog } from './log.ts';
import { Secret } from './secret.ts';

function aLog(pretty: boolean) {
  const lines: string[] = [];
  return { lines, log: createLog({ level: 'debug', pretty, destination: { write: (line) => void lines.push(line) } }) };
}
const plain = (text = '') => text.replaceAll(/\x1b\[\d+m/g, '');

describe('the log', () => {
  test('is one JSON object a line, secrets blanked', () => {
    const { lines, log } = aLog(false);
    log.info({ runId: '7', token: 'hunter2', config: { password: 'hunter2', url: new Secret('hunter2') } }, 'started');
    log.error({ err: new Error('broke') }, 'failed');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        runId: '7',
        token: '[secret]',
        config: { password: '[secret]', url: '[secret]' },
        msg: 'started',
      },
      expect.objectContaining({ level: 'error', msg: 'failed', err: expect.objectContaining({ message: 'broke' }) }),
    ]);
  });

  test('on a terminal it is one readable line, whatever others put into it', () => {
    const { lines, log } = aLog(true);
    log.warn({ pipeline: 'a\nb', count: 3 }, 'odd \x1b[31mred\r\nsecond line');
    expect(plain(lines[0])).toMatch(
      /^\d\d:\d\d:\d\d warn {2}odd \\x1b\[31mred\\x0d\\x0asecond line pipeline=a\\x0ab count=3\n$/,
    );
    log.error({ err: new Error('broke') }, 'failed');
    expect(plain(lines[1])).toContain('failed\nError: broke\n    at ');
  });

  test('takes what Nest says: chatter as debug, errors as errors', () => {
    const { lines, log } = aLog(false);
    const nest = new NestLog(log);
    nest.log('Mapped {/x, GET} route', 'RouterExplorer');
    nest.error('it broke', 'Error: it broke\n at x', 'Somewhere');
    nest.error(new Error('thrown'));
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 'debug', context: 'RouterExplorer' }),
      expect.objectContaining({
        level: 'error',
        msg: 'it broke',
        stack: 'Error: it broke\n at x',
        context: 'Somewhere',
      }),
      expect.objectContaining({ level: 'error', msg: 'thrown' }),
    ]);
  });
});
