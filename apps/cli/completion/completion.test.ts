import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { Cli } from '../cli.ts';
import { Interrupt, processIo } from '../io.ts';
import { buildProgram } from '../program.ts';
import { commandWords } from './command-words.ts';
import { completionScript } from './shells.ts';

const tree = commandWords(buildProgram(new Cli(processIo(new Interrupt()))));

/** What a real bash would offer for the words typed so far; the last one is being typed. */
function offered(...words: string[]): string[] {
  const quoted = ['sluice', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${completionScript('bash', tree)}
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _sluice; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

describe('bash completion', () => {
  test('commands, then their commands', () => {
    expect(offered('ru')).toEqual(['run', 'runs']);
    expect(offered('runs', 're')).toEqual(['rerun', 'resume']);
  });

  test('options of the command that is being typed', () => {
    expect(offered('runs', 'rerun', '7', '--f')).toEqual(['--failed', '--from']);
    expect(offered('run', 'flight-delays', '--wat')).toEqual(['--watch']);
  });

  test('values where they are known', () => {
    expect(offered('runs', 'list', '-o', 'j')).toEqual(['json']);
    expect(offered('backfill', 'create', 'p', '--reprocess', '')).toEqual(['missing', 'failed', 'stale', 'all']);
    expect(offered('runs', 'list', '--env', 'd')).toEqual([]);
  });

  test('a hidden command is not offered', () => expect(offered('refer')).toEqual([]));
});

test.each(['zsh', 'fish'] as const)('%s knows every command and option', (shell) => {
  const script = completionScript(shell, tree);
  for (const { path, options } of tree) {
    for (const word of path) expect(script).toContain(word);
    for (const { long } of options) expect(script).toContain(shell === 'fish' ? `-l ${long.slice(2)}` : long);
  }
});
