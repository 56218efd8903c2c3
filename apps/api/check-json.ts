import { SluiceError } from '#core';

const DEEPEST = 64;

/** Throws `bad_request` for JSON that Postgres cannot keep (NUL, lone surrogates) or that is nested deeper than 64 levels. */
export function checkJson(value: unknown): void {
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value === 'string') checkText(next.value);
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth >= DEEPEST)
      throw new SluiceError('bad_request', `The body is nested deeper than ${DEEPEST} levels.`);
    for (const [key, inner] of Object.entries(next.value)) {
      checkText(key);
      if (key === '__proto__') throw new SluiceError('bad_request', 'The body has a key __proto__.');
      open.push({ value: inner, depth: next.depth + 1 });
    }
  }
}

function checkText(text: string): void {
  if (text.includes('\0') || !isWellFormed(text))
    throw new SluiceError('bad_request', 'The body holds a text with a NUL character or half a surrogate pair.');
}

function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}
