// Started by tests as a process of its own: takes promotions as far as they go, and dies at the point it is told to.
import { PromotionWorld } from './promotion-world.ts';
import { CRASHING } from './promotion-scenarios.ts';
import { loadConfig } from '../platform/config.ts';
import { killAt, withDebugPoints } from '../platform/debug-points.ts';

const { databaseUrl, debugKill } = loadConfig();
const world = await PromotionWorld.open({
  url: databaseUrl?.reveal() ?? '',
  prod: CRASHING.prod,
  around: (parts) => withDebugPoints(parts, killAt(debugKill ?? '')),
});
await CRASHING.begin(world);
await world.settle();
await world.close();
