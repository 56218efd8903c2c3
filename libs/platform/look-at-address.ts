import { lookup, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { SluiceError, type SecretSource } from '#core';
import type { Environments, HttpLook } from '#engine';

export interface AddressParts {
  readonly environments: Pick<Environments, 'get'>;
  readonly readSecret: (source: SecretSource) => Promise<string>;
}

/** From the first byte asked to the last one answered. */
const TIMEOUT_MS = 10_000;
const MOST_BYTES = 256 * 1024;
const MOST_RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * Asks an address once, for tasks that wait for what it answers. A redirect is an answer like any other: the token is for
 * the address in the file alone. Errors name neither the query nor the token.
 */
export function createHttpLook({ environments, readSecret }: AddressParts): HttpLook {
  return async ({ environment, url, headers, bearer }) => {
    const authorization: Record<string, string> =
      bearer === null ? {} : { authorization: `Bearer ${await secretOf(environment, bearer)}` };
    const answer = await ask(new URL(url), { ...headers, ...authorization });
    return {
      status: answer.status,
      body: parsed(answer.text),
      retryAfterMs: retryAfterMs(answer.retryAfter, Date.now()),
    };
  };

  async function secretOf(name: string, secret: string): Promise<string> {
    const source = environments.get(name)?.config.secrets[secret];
    if (source !== undefined) return (await readSecret(source)).trim();
    throw new SluiceError('invalid_config', `There is no secret "${secret}" in environments/${name}.yaml.`, {
      hint: 'Add it there under `secrets:`.',
    });
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

function ask(url: URL, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isOffLimits(host)) return Promise.reject(offLimits(url.hostname));
  const about = { 'accept-encoding': 'identity', 'user-agent': 'sluice', accept: '*/*', ...headers };
  const options = {
    headers: about,
    lookup: guardedLookup,
    agent: false as const,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(unanswered(url, error));
    const request = (url.protocol === 'https:' ? https : http).get(url, options, (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > MOST_BYTES) request.destroy(new Error(`it answered more than ${MOST_BYTES / 1024} KiB`));
        else parts.push(part);
      });
      response.on('error', fail);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        resolve({ status: response.statusCode ?? 0, text, retryAfter: response.headers['retry-after'] });
      });
    });
    request.on('error', fail);
  });
}

/** Where machines of a cloud ask who they are, and addresses of nobody: the same that `http` tasks refuse. */
const OFF_LIMITS = new BlockList();
OFF_LIMITS.addSubnet('169.254.0.0', 16, 'ipv4');
OFF_LIMITS.addSubnet('0.0.0.0', 8, 'ipv4');
OFF_LIMITS.addSubnet('224.0.0.0', 4, 'ipv4');
OFF_LIMITS.addSubnet('fe80::', 10, 'ipv6');
OFF_LIMITS.addSubnet('ff00::', 8, 'ipv6');
OFF_LIMITS.addAddress('::', 'ipv6');
OFF_LIMITS.addAddress('fd00:ec2::254', 'ipv6');

function isOffLimits(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && OFF_LIMITS.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Judges what the name stands for at the moment of connecting, so that it cannot stand for something else afterwards. */
const guardedLookup: LookupFunction = (host, options, callback) => {
  lookup(host, options, (error, address: string | LookupAddress[], family?: number) => {
    const found = typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address);
    if (error === null && found.some(isOffLimits)) callback(offLimits(host), []);
    else callback(error, address, family);
  });
};

function offLimits(host: string): SluiceError {
  return new SluiceError('bad_request', `${host} is an address that is never asked.`);
}

function unanswered({ origin, pathname }: URL, error: Error): Error {
  const isLate = error.name === 'AbortError' || error.name === 'TimeoutError';
  const why = isLate ? `no answer within ${TIMEOUT_MS / 1000} s` : error.message;
  return new SluiceError('unavailable', `${origin}${pathname} cannot be asked: ${why}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON: an expression sees the text.
    return text;
  }
}

/** Seconds or a date; null when it is neither. */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(0, ms), MOST_RETRY_AFTER_MS);
}
