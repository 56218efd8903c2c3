import { InvalidArgumentError, Option, type Command } from 'commander';
import { SluiceError } from '#core';
import type { VerificationShape } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { DIFFERENT, INTERRUPTED, NOT_COMPARABLE } from '../exit-codes.ts';
import { durationArgument } from '../options.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import { durationText } from '../output/time.ts';
import { driftLines, verificationFields } from '../verify/verification-text.ts';
import { watchRecord } from '../watch/watch-record.ts';

interface VerifyOptions extends OutputOptions {
  readonly wait: boolean;
  readonly show?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
}

export function addVerifyCommand(program: Command, cli: Cli): void {
  withOutput(program.command('verify'))
    .description('execute a run again on what it read, publishing nothing, and compare what it writes')
    .argument('<run>', 'a run that succeeded', runArgument)
    .option('--no-wait', 'only ask for it')
    .addOption(new Option('--show', 'only what the last verification found').conflicts('wait'))
    .addOption(new Option('--timeout <duration>', 'stop waiting after this long (exit 8)').argParser(durationArgument))
    .action((id: string, options: VerifyOptions) => verifyRun(cli, id, options));
}

export function runArgument(value: string): string {
  if (!/^[1-9]\d{0,17}$/.test(value)) throw new InvalidArgumentError('Expected the id of a run, such as 17.');
  return value;
}

async function verifyRun(cli: Cli, id: string, options: VerifyOptions): Promise<void> {
  const client = await cli.connect();
  const begun = options.show ? await lastOf(client, id) : await client.verify(id);
  const last = options.wait && !options.show ? await follow(cli, client, begun, options.timeout) : begun;
  const output = cli.output(options);
  await output.one(last, last.id, verificationFields(last));
  if (last.verdict === null) return tellOfOpen(cli, last, options);
  if (output.isForPeople) output.lines(driftLines(last, cli.outStyle));
  if (last.verdict === 'drifted') {
    cli.exitCode = DIFFERENT;
    if (last.shadowRunId !== null) cli.next('compare the two runs', `sluice diff ${id} ${last.shadowRunId}`);
  }
  if (last.verdict === 'not_comparable') cli.exitCode = NOT_COMPARABLE;
}

async function lastOf(client: SluiceClient, id: string): Promise<VerificationShape> {
  const last = await client.verification(id);
  if (last !== null) return last;
  throw new SluiceError('not_found', `Run ${id} was never verified.`, { hint: `\`sluice verify ${id}\` does it.` });
}

async function follow(
  cli: Cli,
  client: SluiceClient,
  begun: VerificationShape,
  timeout: number | undefined,
): Promise<VerificationShape> {
  if (begun.verdict !== null) return begun;
  if (begun.shadowRunId !== null) cli.say(`Run ${begun.shadowRunId} executes run ${begun.runId} again.`);
  const interrupted = cli.io.interrupt.take();
  const signal = AbortSignal.any([interrupted, ...(timeout === undefined ? [] : [AbortSignal.timeout(timeout)])]);
  const watched = {
    fetch: async () => (await client.verification(begun.runId)) ?? begun,
    hasEnded: ({ verdict }: VerificationShape) => verdict !== null,
    topic: `run:${begun.runId}`,
    isAbout: ({ kind }: { readonly kind: string }) => kind === 'verification',
  };
  let last = begun;
  const onLost = (): void => cli.say('The server does not answer; waiting for it.');
  for await (const now of watchRecord(client, watched, { signal, onLost })) last = now;
  if (last.verdict === null && interrupted.aborted) cli.exitCode = INTERRUPTED;
  return last;
}

function tellOfOpen(cli: Cli, { runId, shadowRunId }: VerificationShape, options: VerifyOptions): void {
  if (!options.wait || options.show || cli.exitCode === INTERRUPTED) {
    cli.say(`Run ${shadowRunId ?? ''}, which executes run ${runId} again, goes on.`);
    return cli.next('see what it finds', `sluice verify ${runId} --show`);
  }
  throw new SluiceError(
    'timeout',
    `Run ${runId} was still being executed again after ${durationText(options.timeout ?? 0)}.`,
    { hint: `It goes on; \`sluice verify ${runId} --show\` says what it finds.` },
  );
}
