const LONGEST = 60;

/** A value as it appears in messages: JSON, shortened, without control or direction-changing characters. */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0 ? 'an empty map' : 'a map';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  const visible = text.replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return visible.length <= LONGEST ? visible : `${visible.slice(0, LONGEST - 1)}…`;
}

/** An expression as it appears in messages: between backticks, on one line, shortened. */
export function code(expression: string): string {
  const line = expression.replace(/\s+/g, ' ');
  return `\`${line.length <= 2 * LONGEST ? line : `${line.slice(0, 2 * LONGEST - 1)}…`}\``;
}

/** `a, b or c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
