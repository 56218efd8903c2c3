import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { SluiceError } from '#core';
import { durationMs, resourcesOf, resourcesShape } from '#dag';
import type { KubernetesSettings } from '#kubernetes';

/** Of a namespace, a claim, a Secret: what Kubernetes takes for a name. */
const name = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'expected a name of Kubernetes');
const duration = z
  .string()
  .refine((text) => durationMs(text) !== null, 'expected a duration, such as 90s or 1h')
  .transform((text) => durationMs(text) as number);
const texts = z.record(z.string(), z.string());
const resources = resourcesShape.transform(resourcesOf);
const pod = {
  image: z.string().min(1).max(500),
  service_account: name.nullable(),
  node_selector: texts,
  tolerations: z.array(
    z.strictObject({
      key: z.string().exactOptional(),
      operator: z.enum(['Exists', 'Equal']).exactOptional(),
      value: z.string().exactOptional(),
      effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).exactOptional(),
    }),
  ),
  resources,
};
const podOfPool = z.strictObject({
  image: pod.image.exactOptional(),
  service_account: pod.service_account.exactOptional(),
  node_selector: pod.node_selector.exactOptional(),
  tolerations: pod.tolerations.exactOptional(),
  resources: resources.exactOptional(),
});
const shape = z.strictObject({
  namespace: name.nullable().default(null),
  // Names of jobs are this and the id of an attempt, in 63 characters.
  name: z
    .string()
    .regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/, 'expected at most 40 of a-z, 0-9 and -')
    .default('sluice'),
  url: z.url({ protocol: /^https?$/ }),
  token_secret: z.strictObject({ name, key: z.string().min(1).max(253) }),
  ...pod,
  service_account: pod.service_account.default(null),
  node_selector: pod.node_selector.default({}),
  tolerations: pod.tolerations.default([]),
  resources: resources.default({}),
  image_pull_secrets: z.array(name).default([]),
  env: texts.default({}),
  env_from_secrets: z.array(name).default([]),
  volumes: z
    .array(
      z.strictObject({
        claim: name,
        at: z.string().regex(/^\/[^\0]+$/, 'expected an absolute folder'),
        read_only: z.boolean().default(false),
      }),
    )
    .max(20)
    .default([]),
  user: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(1000),
  drain: duration.default(25_000),
  start: duration.default(120_000),
  keep: duration.default(3_600_000),
  pools: z.record(z.string(), podOfPool).default({}),
});

/** Reads what SLUICE_KUBERNETES names. Throws `invalid_config` with everything that is wrong in it. */
export async function readKubernetesSettings(file: string): Promise<KubernetesSettings> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw wrong(file, [error.message]);
  });
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw wrong(file, [(error as Error).message]);
  }
  const { success, data, error } = shape.safeParse(content);
  if (!success)
    throw wrong(
      file,
      error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`),
    );
  return settingsOf(data);
}

function settingsOf(given: z.infer<typeof shape>): KubernetesSettings {
  const { namespace, name, image, resources, env, volumes, user, tolerations, drain, start, keep } = given;
  return {
    ...{ namespace, name, image, resources, env, user, tolerations },
    ...{ drainMs: drain, startMs: start, keepMs: keep },
    url: given.url.replace(/\/+$/, ''),
    tokenSecret: given.token_secret,
    serviceAccount: given.service_account,
    nodeSelector: given.node_selector,
    imagePullSecrets: given.image_pull_secrets,
    envFromSecrets: given.env_from_secrets,
    volumes: volumes.map(({ claim, at, read_only: readOnly }) => ({ claim, at, readOnly })),
    pools: Object.fromEntries(
      Object.entries(given.pools).map(([pool, { service_account, node_selector, ...more }]) => [
        pool,
        {
          ...more,
          ...(service_account === undefined ? {} : { serviceAccount: service_account }),
          ...(node_selector === undefined ? {} : { nodeSelector: node_selector }),
        },
      ]),
    ),
  };
}

function wrong(file: string, problems: readonly string[]): SluiceError {
  return new SluiceError('invalid_config', `SLUICE_KUBERNETES names ${file}, which is wrong: ${problems.join('; ')}.`, {
    hint: 'docs/kubernetes.md says what may stand in it.',
    details: { problems },
  });
}
