export { connectCluster } from './connect.ts';
export { JobKeeper } from './job-keeper.ts';
export type { KubernetesSettings } from './settings.ts';
