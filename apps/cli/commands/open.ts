import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { SluiceError } from '#core';
import type { Cli } from '../cli.ts';

interface OpenOptions {
  readonly print?: boolean;
}

export function addOpenCommand(program: Command, cli: Cli): void {
  program
    .command('open')
    .description('open the web view, logged in by a code that works once')
    .argument('[page]', 'such as /runs/42', '/')
    .option('--print', 'only print the URL')
    .action((page: string, options: OpenOptions) => openPage(cli, page, options));
}

async function openPage(cli: Cli, page: string, options: OpenOptions): Promise<void> {
  // Only a page of this server: `//elsewhere.example` would carry the code away.
  if (!/^\/(?![/\\])/.test(page))
    throw new SluiceError('bad_request', `"${page}" is no page; it should begin with one "/".`);
  const { url } = await cli.server();
  const client = await cli.connect();
  const address = new URL(url + page);
  // Behind the `#`: a browser keeps that to itself, so the code is in no log and no Referer.
  address.hash = new URLSearchParams({ code: await client.loginCode() }).toString();
  cli.io.out.write(`${address.href}\n`);
  if (options.print || !cli.io.out.isTTY) return;
  if (await launchBrowser(address.href, cli.io.env)) cli.say('Opened in the browser; the code works once.');
  else cli.say('No browser was found here: open the URL within ten minutes; its code works once.');
}

/** True when the desktop took the URL; false where there is no desktop. */
function launchBrowser(url: string, env: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  if (process.platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY) return Promise.resolve(false);
  const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open';
  return new Promise((resolve) => {
    const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
