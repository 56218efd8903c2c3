// A warm process for `http:` tasks: one request at a time, in a process of its own, so that a time-out or a cancel ends
// it whatever the other side does. It holds nothing between requests.
import { lookup } from 'node:dns';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP } from 'node:net';
import path from 'node:path';
import { receiveOrders, sendDone, sendOutput } from './warm-channel.mjs';

/** What expressions can see of an answer; a larger one has to be saved. */
const MOST_BYTES = 1024 * 1024;
const MOST_SAVED_BYTES = 1024 ** 3;
const MOST_REDIRECTS = 5;
const MOST_HEADER_CHARS = 8 * 1024;

/** Never asked: where machines of a cloud ask who they are, and what is no machine. */
const OFF_LIMITS = new BlockList();
OFF_LIMITS.addSubnet('169.254.0.0', 16, 'ipv4');
OFF_LIMITS.addSubnet('0.0.0.0', 8, 'ipv4');
OFF_LIMITS.addSubnet('224.0.0.0', 3, 'ipv4');
OFF_LIMITS.addAddress('100.100.100.200', 'ipv4');
OFF_LIMITS.addAddress('192.0.0.192', 'ipv4');
OFF_LIMITS.addSubnet('fe80::', 10, 'ipv6');
OFF_LIMITS.addSubnet('ff00::', 8, 'ipv6');
OFF_LIMITS.addAddress('::', 'ipv6');
OFF_LIMITS.addAddress('fd00:ec2::254', 'ipv6');

/** This machine: asked only where the address says so, not where a name turns out to mean it. */
const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

receiveOrders((order) => void perform(order).then(sendDone));

async function perform(order) {
  const deadline = AbortSignal.timeout(order.timeoutMs);
  try {
    return { kind: 'success', outputs: {}, answer: await follow(order, deadline) };
  } catch (error) {
    const late = deadline.aborted ? `no answer within ${order.timeoutMs / 1000} s` : null;
    const message = `${order.method} ${shown(new URL(order.url))}: ${late ?? reasonOf(error)}`;
    // Nothing of the failure stays here: every request has a connection of its own.
    return { kind: 'failed', message, reusable: true };
  }
}

/** Redirects lead on at the same address only: headers and secrets are for whom the file names. */
async function follow(order, signal) {
  let url = new URL(order.url);
  for (let left = MOST_REDIRECTS; ; left -= 1) {
    const response = await send({ ...order, url }, signal);
    const { statusCode: status, headers } = response;
    const leads = status >= 300 && status < 400 && headers.location !== undefined;
    if (!leads || order.accepted.includes(status) || !['GET', 'HEAD'].includes(order.method))
      return take(response, order, url);
    response.destroy();
    const next = URL.canParse(headers.location, url) ? new URL(headers.location, url) : null;
    if (next === null || next.origin !== url.origin)
      throw new Error(`it redirects to ${next?.origin ?? 'nowhere'}; redirects are followed at the same address only`);
    if (left === 0) throw new Error(`it redirects more than ${MOST_REDIRECTS} times`);
    url = next;
  }
}

function send({ url, method, headers, content }, signal) {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIn(OFF_LIMITS, host)) throw new Error(`${host} is an address that is never asked`);
  const body = content === null ? undefined : Buffer.from(content);
  const about = {
    'accept-encoding': 'identity',
    'user-agent': 'sluice',
    accept: '*/*',
    ...headers,
    ...(body === undefined ? {} : { 'content-length': body.length }),
  };
  const options = { method, headers: about, lookup: guardedLookup, agent: false, signal };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, options, resolve);
    request.on('error', reject);
    request.end(body);
  });
}

async function take(response, { saveTo, accepted }, url) {
  const { statusCode: status, statusMessage } = response;
  const expected = accepted.length === 0 ? status >= 200 && status < 300 : accepted.includes(status);
  const most = saveTo !== null && expected ? MOST_SAVED_BYTES : MOST_BYTES;
  const file = saveTo !== null && expected ? await create(saveTo) : null;
  const kept = [];
  let bytes = 0;
  try {
    for await (const part of response) {
      bytes += part.length;
      if (bytes > most && expected)
        throw new Error(
          `it answered more than ${most / 1024 ** 2} MiB` + (file === null ? '; write it to a path with `save:`' : ''),
        );
      if (bytes > most) break;
      if (bytes <= MOST_BYTES) kept.push(part);
      await file?.write(part);
    }
  } finally {
    await file?.close();
  }
  sendOutput('out', Buffer.from(`${status} ${statusMessage}, ${bytes} bytes from ${shown(url)}\n`));
  const whole = bytes <= MOST_BYTES || !expected;
  return { status, expected, headers: textHeaders(response.headers), bytes, text: whole ? textOf(kept) : null };
}

async function create(file) {
  await fs.promises.mkdir(path.dirname(file), { recursive: true });
  return fs.promises.open(file, 'wx');
}

function textOf(parts) {
  return Buffer.concat(parts).toString('utf8');
}

function textHeaders(headers) {
  const texts = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]);
  return Object.fromEntries(texts.filter(([, value]) => value.length <= MOST_HEADER_CHARS));
}

/** Judges what a name stands for at the moment of connecting, so that it cannot stand for something else afterwards. */
function guardedLookup(host, options, callback) {
  lookup(host, options, (error, address, family) => {
    if (error !== null) return callback(error, address, family);
    const found = typeof address === 'string' ? [address] : address.map((one) => one.address);
    const refused = found.find((one) => isIn(OFF_LIMITS, one) || (isIn(LOOPBACK, one) && !/^localhost$/i.test(host)));
    if (refused === undefined) return callback(null, address, family);
    callback(new Error(`${host} stands for ${refused}, which is not asked under another name`), []);
  });
}

function isIn(list, address) {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Without its query: values belong to the file and its runs, not into messages. */
function shown({ origin, pathname }) {
  return `${origin}${pathname}`;
}

function reasonOf(error) {
  // Several addresses of one name that all fail are one error without a message.
  return error.message || error.errors?.[0]?.message || error.code || String(error);
}
