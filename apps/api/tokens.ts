// Names under which Nest hands the parts out: the ports are interfaces, and no decorator metadata exists at run time.
export const READS = Symbol('reads');
export const COMMANDS = Symbol('commands');
export const EVENTS = Symbol('events');
export const AUTH = Symbol('auth');
export const TOKENS = Symbol('named tokens');
export const SLACK = Symbol('slack');
export const WORKERS = Symbol('workers');
export const METRICS = Symbol('metrics');
export const PUBLIC_URL = Symbol('public url');
