// Started by tests as a process of its own: lets runs start each other as far as they go, and dies at the commit it is told to.
import { loadConfig } from '../platform/config.ts';
import { killAt } from '../platform/debug-points.ts';
import { beginChains, settleChains } from './chains.ts';
import { withCommitPoints } from './commit-points.ts';
import { World } from './world.ts';

const { databaseUrl, debugKill } = loadConfig();
const kill = killAt(debugKill ?? '');
const world = await World.open({
  url: databaseUrl?.reveal() ?? '',
  at: '2026-01-05T12:00:00Z',
  host: 'first',
  around: (store) => withCommitPoints(store, kill),
});
await beginChains(world);
await settleChains(world);
await world.close();
