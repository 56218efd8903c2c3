import { createClient } from '#contracts/client';
import { median } from './quantile.ts';

// `tsx tail-log.ts URL RUN TASK`: follows a log whose lines are `NUMBER EPOCH-MS …` to its end, as `sluice logs --follow` does;
// prints how many lines came, and how long after it was written the last line of each message came, in the median.

const [baseUrl = '', runId = '', task = ''] = process.argv.slice(2);
const client = createClient({ baseUrl, token: process.env.TOKEN ?? '' });
const lags: number[] = [];
let lines = 0;
for await (const message of client.followLog({ runId, task, map: 0, try: 1 })) {
  lines += message.length;
  const [, at] = (message.at(-1)?.text ?? '').split(' ');
  if (at !== undefined) lags.push(Date.now() - Number(at));
}
process.stdout.write(JSON.stringify({ lines, p50: median(lags) }));
