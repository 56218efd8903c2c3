import { INTERRUPTED } from './exit-codes.ts';
import { Interrupt, processIo } from './io.ts';
import { runCli } from './run-cli.ts';

const interrupt = new Interrupt();
process.on('SIGINT', () => {
  // The second Ctrl-C does not wait for anything.
  if (interrupt.signal.aborted) process.exit(INTERRUPTED);
  interrupt.fire();
});
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `sluice runs list | head -1`: the reader has what it wanted.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

process.exitCode = await runCli(process.argv.slice(2), processIo(interrupt));
// A command that was cut short may have left a socket or a timer behind.
if (process.exitCode === INTERRUPTED) process.exit();
