import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient, uploadRelease, type PromotionDetail } from '#contracts';
import { SluiceError } from '#core';
import { stepPromotions, type Elsewhere, type PromotionParts } from '#engine';
import { createElsewhere, createLog, loadConfig, openInstallation, type Installation } from '#platform';
import { snapshotCommit } from '#release';
import { createTestDatabase, type TestDatabase } from '#testing';
import { TestRepository } from '../../libs/release/repository-fixture.ts';
import { serveApi, type ServedApi } from './serve.ts';

const ADMIN = 'token-of-the-installation-itself';
const nothing = (): void => undefined;

/** An installation with an API and a database of its own; promotions go on when `step` is called. */
class Site {
  readonly problems: string[] = [];
  /** What the other installation is asked with; a test may break it. */
  elsewhere: Elsewhere;

  private constructor(
    private readonly database: TestDatabase,
    readonly project: string,
    readonly installation: Installation,
    readonly served: ServedApi,
  ) {
    const { db, releases } = installation;
    this.elsewhere = createElsewhere({ db, releases, readSecret });
  }

  static async open(environments: Readonly<Record<string, string>>): Promise<Site> {
    const project = await mkdtemp(path.join(tmpdir(), 'sluice-site-'));
    await mkdir(path.join(project, 'dags'));
    await mkdir(path.join(project, 'environments'));
    for (const [name, text] of Object.entries(environments))
      await writeFile(path.join(project, 'environments', `${name}.yaml`), `name: ${name}\n${text}\n`);
    const database = await createTestDatabase();
    const config = loadConfig({ SLUICE_PORT: '0', SLUICE_TOKEN: ADMIN }, project);
    const log = createLog({ level: 'silent' });
    const common = { log, packageRoot: project };
    const installation = await openInstallation({ ...common, config, databaseUrl: database.url, publicUrl: '' });
    await installation.environments.load(installation.store, 'test');
    const served = await serveApi({ ...common, installation, version: '0', problems: () => [] });
    return new Site(database, project, installation, served);
  }

  as(token = ADMIN) {
    return createClient({ baseUrl: this.served.url, token });
  }

  async token(name: string, rights: string): Promise<string> {
    const granted = rights.split(' ').map((one) => one.split(':'));
    const request = { name, rights: granted.map(([right, environment]) => ({ right, environment })) };
    return (await this.as().createToken(request as Parameters<ReturnType<typeof createClient>['createToken']>[0]))
      .token;
  }

  async step(): Promise<void> {
    const { promotionStore, store, pipelines, environments, isFollowed } = this.installation;
    const parts: PromotionParts = {
      ...{ promotions: promotionStore, store, pipelines, environments, isFollowed, readSecret, wake: nothing },
      ...{ releaseProblems: async () => [], statusOf: async () => 200, elsewhere: this.elsewhere },
      alertDefaults: { publicUrl: '', decidesInSlack: false, unavailable: () => null },
      clock: { now: () => new Date(), schedule: () => nothing },
      observer: {
        event: nothing,
        problem: (what, error) => void this.problems.push(`${what}: ${(error as Error).message}`),
      },
    };
    await stepPromotions(parts);
  }

  async close(): Promise<void> {
    await this.served.close();
    await this.installation.close();
    await this.database.drop();
    await rm(this.project, { recursive: true, force: true });
  }
}

async function readSecret(source: object): Promise<string> {
  return 'env' in source ? (secrets.get(String(source.env)) ?? '') : '';
}

const secrets = new Map<string, string>();
let repo: TestRepository;
/** Has prod. */
let there: Site;
/** Has dev and test, and knows prod as an environment of the other one. */
let here: Site;
beforeAll(async () => {
  repo = await TestRepository.create();
  there = await Site.open({ prod: 'storage: data\nfrom: [test]\napprovals: { count: 1 }' });
  const installation = `installation: { url: ${there.served.url}, token: { env: PROD_TOKEN } }`;
  here = await Site.open({ test: 'storage: data', prod: `${installation}\nfrom: [test]` });
  secrets.set('PROD_TOKEN', await there.token('site-a', 'release:prod promote:prod vouch:test'));
});
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
  await repo.remove();
});

/** A new release, at the site that has test. */
async function aRelease(run: string): Promise<string> {
  await repo.commit({ 'dags/a.yaml': `name: a\ntasks: { only: { run: "${run}" } }\n` }, `Says ${run}`);
  const snapshot = await snapshotCommit({ repository: repo.folder, ref: 'HEAD' });
  await uploadRelease(here.as(), snapshot, { branch: 'main', buildUrl: 'https://ci.example/7' });
  return snapshot.digest;
}
async function verified(release: string): Promise<string> {
  await here.as().promote({ environment: 'test', release });
  await here.step();
  return release;
}
const toProd = (release: string) => here.as().promote({ environment: 'prod', release, reason: 'It is time.' });
const stateOf = async (site: Site, { id }: Pick<PromotionDetail, 'id'>) => (await site.as().promotion(id)).state;
const gateOf = async ({ id }: PromotionDetail) => (await here.as().promotion(id)).gates.at(-1);
const newestThere = async () => (await there.as().promotions({ env: 'prod' })).items[0]!;
const pointer = async (site: Site) => (await site.as().promotionStand('prod')).current?.digest;
/** Somebody there approves, and the promotion goes on there. */
async function approveThere(): Promise<void> {
  await there.step();
  const boss = await there.token(`boss-${Math.random().toString(36).slice(2)}`, 'approve:prod');
  await there.as(boss).decide((await newestThere()).id, { decision: 'approve' });
  await there.step();
}

describe('a promotion to an environment of another installation', () => {
  test('is asked for there with the release and where it came from, and waits for what is decided there', async () => {
    const release = await verified(await aRelease('one'));
    const promotion = await toProd(release);
    await here.step();
    const asked = await newestThere();
    expect(asked).toMatchObject({ actor: 'site-a', reason: 'It is time.', release: { digest: release } });
    expect(await there.as().release(release)).toMatchObject({
      ...{ message: 'Says one', branch: 'main', buildUrl: 'https://ci.example/7', dirty: false },
    });
    await there.step();
    await here.step();
    expect(await gateOf(promotion)).toMatchObject({
      ...{ name: `installation ${there.served.url}`, state: 'pending' },
      detail: `Promotion ${asked.id} there is approval: Waits for 1 approval.`,
    });
    expect([await pointer(here), await pointer(there)]).toEqual([undefined, undefined]);

    await approveThere();
    await here.step();
    expect([await stateOf(there, asked), await stateOf(here, promotion)]).toEqual(['verified', 'verified']);
    expect([await pointer(here), await pointer(there)]).toEqual([release, release]);
    expect((await gateOf(promotion))?.evidence).toMatchObject({
      ...{ url: there.served.url, promotion: asked.id, state: 'verified' },
      gates: expect.arrayContaining([expect.objectContaining({ name: 'provenance', state: 'passed' })]),
    });
    expect(here.problems).toEqual([]);
  });

  test('counts what was verified here as a statement of the token, which its gate and the trail there name', async () => {
    const { gates, id } = await there.as().promotion((await newestThere()).id);
    const provenance = gates.find(({ kind }) => kind === 'provenance');
    expect(provenance).toMatchObject({
      ...{ state: 'passed', detail: 'Verified in test, as site-a states.' },
      evidence: { test: expect.any(String), stated: [{ environment: 'test', by: 'site-a', at: expect.any(String) }] },
    });
    const { items } = await there.as().audit({ env: 'prod', limit: 50 });
    expect(
      items.find((one) => one.action === 'promote.request' && one.subject === `promotion ${id}`)?.detail,
    ).toMatchObject({
      vouched: [{ environment: 'test', by: 'site-a' }],
    });
  });

  test('that was cut off before its id was kept is asked for once', async () => {
    const release = await verified(await aRelease('two'));
    const promotion = await toProd(release);
    const whole = here.elsewhere;
    here.elsewhere = { ...whole, look: () => Promise.reject(new Error('killed')) };
    await here.step();
    expect(await stateOf(here, promotion)).toBe('gates');
    here.elsewhere = whole;
    await here.step();
    await approveThere();
    await here.step();
    expect(await stateOf(here, promotion)).toBe('verified');
    const asked = (await there.as().promotions({ env: 'prod' })).items.filter((one) => one.release.digest === release);
    expect(asked).toHaveLength(1);
  });

  test('a rollback returns both', async () => {
    const promotion = await here.as().rollBack({ environment: 'prod', reason: 'worse' });
    await here.step();
    await there.step();
    await here.step();
    expect(await stateOf(here, promotion)).toBe('verified');
    const [now, then] = [await pointer(here), await pointer(there)];
    expect([now, (await newestThere()).kind]).toEqual([then, 'rollback']);
    expect((await there.as().release(now!)).message).toBe('Says one');
  });

  test('fails here with what failed there', async () => {
    const release = await verified(await aRelease('three'));
    const promotion = await toProd(release);
    await here.step();
    await there.step();
    const boss = await there.token('strict-boss', 'approve:prod');
    await there.as(boss).decide((await newestThere()).id, { decision: 'reject', comment: 'not on a Friday' });
    await there.step();
    await here.step();
    const { state, detail } = await here.as().promotion(promotion.id);
    expect([state, detail]).toEqual(['failed', expect.stringContaining('Rejected by strict-boss: not on a Friday')]);
  });

  test('is not asked for while this installation stops it, or what it demands is missing', async () => {
    const before = (await newestThere()).id;
    const unverified = await toProd(await aRelease('four'));
    await here.step();
    expect((await here.as().promotion(unverified.id)).detail).toMatch(/Gate provenance failed/);
    const held = await verified(await aRelease('five'));
    await here.as().setHold('prod', held, 'bad data');
    const promotion = await toProd(held);
    await here.step();
    expect((await here.as().promotion(promotion.id)).detail).toMatch(/on hold here: bad data/);
    expect((await newestThere()).id).toBe(before);
  });
});

describe('a promotion that is cancelled here', () => {
  test('is cancelled there as well, once the other installation answers', async () => {
    const promotion = await toProd(await verified(await aRelease('eight')));
    await here.step();
    const asked = await newestThere();
    const whole = here.elsewhere;
    const unavailable = async (): Promise<never> => {
      throw new SluiceError('unavailable', 'It gave no answer.');
    };
    here.elsewhere = { ...whole, cancel: unavailable };
    here.problems.splice(0);
    await here.as().cancelPromotion(promotion.id);
    await here.step();
    expect([await stateOf(there, asked), here.problems.splice(0)]).toEqual([
      expect.stringMatching(/queued|gates|approval/),
      ['cancelling a promotion in another installation: It gave no answer.'],
    ]);
    here.elsewhere = whole;
    await here.step();
    expect(await stateOf(there, asked)).toBe('cancelled');
    expect((await gateOf(promotion))?.detail).toBe(
      `Promotion ${asked.id} there is cancelled, as it is here: cancelled.`,
    );
    await here.step();
    expect(here.problems).toEqual([]);
  });

  test('after it has ended there says so', async () => {
    const promotion = await toProd(await verified(await aRelease('nine')));
    await here.step();
    const asked = await newestThere();
    await here.as().cancelPromotion(promotion.id);
    await there.as().cancelPromotion(asked.id);
    await here.step();
    expect((await gateOf(promotion))?.detail).toBe(
      `Promotion ${asked.id} there was not cancelled: Promotion ${asked.id} has ended: cancelled.`,
    );
  });
});

describe('the other installation', () => {
  test('that does not answer is asked again; what it refuses ends the promotion', async () => {
    const release = await verified(await aRelease('six'));
    const promotion = await toProd(release);
    const token = secrets.get('PROD_TOKEN') ?? '';
    const whole = here.elsewhere;
    const closed = { kind: 'installation' as const, url: 'http://127.0.0.1:1', token: { env: 'PROD_TOKEN' } };
    here.elsewhere = { ...whole, request: (_gate, asked) => whole.request(closed, asked) };
    await here.step();
    expect([await stateOf(here, promotion), (await gateOf(promotion))?.detail]).toEqual([
      'gates',
      expect.stringMatching(/^Looking failed, and is tried again: .*127\.0\.0\.1:1/),
    ]);
    here.elsewhere = whole;
    secrets.set('PROD_TOKEN', await there.token('no-voucher', 'release:prod promote:prod'));
    await here.step();
    expect((await here.as().promotion(promotion.id)).detail).toMatch(/no-voucher has no right to vouch in test/);
    secrets.set('PROD_TOKEN', token);
  });

  test('lets nobody state what it knows itself', async () => {
    const { digest } = (await there.as().promotionStand('prod')).current!;
    const asked = {
      environment: 'prod',
      release: digest,
      verified: [{ environment: 'prod', at: '2026-01-01T00:00:00Z' }],
    };
    await expect(there.as().promote(asked)).rejects.toThrow('"prod" is an environment of this installation.');
  });
});

test('nothing runs here in such an environment, and nobody here passes over what is decided there', async () => {
  const release = await verified(await aRelease('seven'));
  await expect(here.as().trigger('a', { environment: 'prod' })).rejects.toThrow(/is an environment of http/);
  const overrides = [`installation ${there.served.url}`];
  const asked = { environment: 'prod', release, overrides, reason: 'now' };
  await expect(here.as().promote(asked)).rejects.toThrow(/Nobody here decides for http/);
  const { fields } = await here.as().environmentDiff('test', 'prod');
  expect(JSON.stringify(fields)).not.toContain('PROD_TOKEN');
});
