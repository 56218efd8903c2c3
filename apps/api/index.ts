export { createApi, type Api, type ApiParts } from './create-api.ts';
export type * from './ports.ts';
