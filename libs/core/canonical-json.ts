import { SluiceError } from './errors.ts';

/**
 * The one JSON text of a value (RFC 8785): no blanks, keys in order of their UTF-16 units, numbers as ECMAScript writes
 * them. Members that are undefined are left out. Throws on anything JSON cannot hold.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  const isJson = value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value);
  if (!isJson) throw new SluiceError('internal', `a value of type ${typeof value} has no JSON form: ${String(value)}`);
  return JSON.stringify(value);
}
