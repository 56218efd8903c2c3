import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { SluiceError } from '#core';
import type { PromotionDetail } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { INTERRUPTED } from '../exit-codes.ts';
import { durationArgument } from '../options.ts';
import type { OutputOptions } from '../output/output.ts';
import { junitReport } from '../output/junit.ts';
import { stateMark } from '../output/state-mark.ts';
import { PLAIN } from '../output/style.ts';
import { durationText } from '../output/time.ts';
import { junitCases } from '../promotion/junit-cases.ts';
import { promotionFields } from '../promotion/promotion-table.ts';
import { watchRecord } from './watch-record.ts';

export interface AwaitPromotionOptions extends OutputOptions {
  readonly wait?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly junit?: string;
}

/** Adds `--wait`, `--timeout` and `--junit`. */
export function withAwaitingPromotion(command: Command): Command {
  return command
    .option('-w, --wait', 'wait for its end, and tell of each gate')
    .addOption(new Option('--timeout <duration>', 'stop waiting after this long (exit 8)').argParser(durationArgument))
    .option('--junit <file>', 'write the gates as test cases, whatever the end');
}

/**
 * Prints the promotion, at once or when it has ended. Throws `promotion_failed` when it ended in another state than
 * verified, `conflict` when something newer took its place, `timeout` when it did not end in time.
 */
export async function awaitPromotion(
  cli: Cli,
  client: SluiceClient,
  created: PromotionDetail,
  options: AwaitPromotionOptions,
): Promise<void> {
  const last = options.wait ? await follow(cli, client, created, options) : created;
  if (options.junit !== undefined)
    await writeFile(
      resolve(cli.io.cwd, options.junit),
      junitReport(`promotion to ${last.environment}`, junitCases(last)),
    );
  await cli.output(options).one(last, last.id, promotionFields(last));
  if (last.finishedAt === null) return tellOfOpen(cli, last, options);
  if (last.state === 'verified') return;
  throw new SluiceError(
    last.state === 'superseded' ? 'conflict' : 'promotion_failed',
    `Promotion ${last.id} of ${last.release.alias} to ${last.environment} ended ${last.state}: ${last.detail ?? ''}`,
    {
      hint: `\`sluice promotions show ${last.id}\` shows its gates and their evidence.`,
      details: { promotion: last.id },
    },
  );
}

async function follow(
  cli: Cli,
  client: SluiceClient,
  created: PromotionDetail,
  { timeout }: AwaitPromotionOptions,
): Promise<PromotionDetail> {
  const interrupted = cli.io.interrupt.take();
  const limit = timeout === undefined ? [] : [AbortSignal.timeout(timeout)];
  const signal = AbortSignal.any([interrupted, ...limit]);
  let last = created;
  const told = new Set<string>();
  const tell = (detail: PromotionDetail): void => {
    for (const line of courseOf(detail)) {
      if (told.has(line)) continue;
      told.add(line);
      cli.say(line);
    }
  };
  tell(created);
  const watched = {
    fetch: () => client.promotion(created.id),
    hasEnded: ({ finishedAt }: PromotionDetail) => finishedAt !== null,
    topic: `env:${created.environment}`,
    isAbout: (event: { kind: string; promotionId?: string }) =>
      event.kind === 'promotion' && event.promotionId === created.id,
  };
  const onLost = (): void => cli.say('The server does not answer; waiting for it.');
  for await (const detail of watchRecord(client, watched, { signal, onLost })) {
    last = detail;
    tell(detail);
  }
  if (last.finishedAt === null && interrupted.aborted) cli.exitCode = INTERRUPTED;
  return last;
}

/** What has happened so far, a line each; a line that was told is not told again. */
function* courseOf({ gates, detail, state, approvals }: PromotionDetail): Generator<string> {
  for (const gate of gates)
    if (gate.state !== 'pending') yield `${stateMark(gate.state, PLAIN)} ${gate.name}: ${gate.detail}`;
  for (const { approver, decision, comment } of approvals.given)
    yield `${decision === 'approve' ? '✓ approved' : '✗ rejected'} by ${approver}${comment ? `: ${comment}` : ''}`;
  if (detail !== null) yield `${state}: ${detail}`;
}

function tellOfOpen(cli: Cli, last: PromotionDetail, options: AwaitPromotionOptions): void {
  if (!options.wait) return cli.next('follow it', `sluice promotions watch ${last.id}`);
  if (cli.exitCode === INTERRUPTED) {
    cli.say(`Promotion ${last.id} goes on.`);
    return cli.next('end it', `sluice promotions cancel ${last.id}`);
  }
  throw new SluiceError(
    'timeout',
    `Promotion ${last.id} was still in ${last.state} after ${durationText(options.timeout ?? 0)}: ${last.detail ?? ''}`,
    { hint: `It goes on; \`sluice promotions watch ${last.id}\` follows it.` },
  );
}
