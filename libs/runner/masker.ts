const MASK = '***';
/** Shorter values stand in ordinary text by chance: masking them would make a log unreadable and give their length away. */
const SHORTEST = 4;
/** What is kept of the reason that a task gives for its failure. */
export const MAX_REASON_CHARS = 2_000;

/** Replaces secret values by `***`, in every form in which they commonly reach a log. */
export interface Masker {
  mask(text: string): string;
  /** The same for every string (and number) inside a JSON value. */
  maskValue(value: unknown): unknown;
  /** Length of the longest form: a text cut shorter than this could show a part. */
  readonly longest: number;
  /** Names of secrets that are too short to be masked. */
  readonly tooShort: readonly string[];
}

/** The first `length` characters, cut after masking: of a secret that a cut tore in two the rest would be shown. */
export function cutMasked(masker: Masker, text: string, length: number): string {
  const masked = masker.mask(text);
  return masked.length > length ? `${masked.slice(0, length)}…` : masked;
}

/** A text that is not known to its end, masked and without what may be the beginning of a secret. */
export function maskTorn(masker: Masker, text: string): string {
  const masked = masker.mask(text);
  return masked.slice(0, Math.max(0, masked.length - masker.longest));
}

/**
 * Masks each secret plain, URL-encoded, JSON-escaped and in base64 (alone, inside a longer text, wrapped at 64 or 76
 * columns). A secret of several lines is masked line by line, because a log is read line by line.
 */
export function createMasker(secrets: Readonly<Record<string, string>>): Masker {
  const forms = new Set<string>();
  const tooShort: string[] = [];
  for (const [name, secret] of Object.entries(secrets)) {
    if (secret === '') continue;
    if (secret.trim().length < SHORTEST) tooShort.push(name);
    else for (const form of formsOf(secret)) forms.add(form);
  }
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) {
    return { mask: (text) => text, maskValue: (value) => value, longest: 0, tooShort };
  }
  const pattern = new RegExp(longestFirst.map(escapePattern).join('|'), 'g');
  const mask = (text: string): string => text.replace(pattern, MASK);
  return { mask, maskValue: (value) => maskInside(value, mask), longest: longestFirst[0]!.length, tooShort };
}

function formsOf(secret: string): string[] {
  const parts = [secret, ...secret.split(/\r?\n/)].filter((part) => part.trim().length >= SHORTEST);
  return parts
    .flatMap((part) => [
      part,
      part.trim(),
      encodeURIComponent(toWellFormed(part)),
      encodeURIComponent(toWellFormed(part)).replaceAll('%20', '+'),
      encodeURI(toWellFormed(part)),
      JSON.stringify(part).slice(1, -1),
      asciiJson(part),
      ...base64Forms(Buffer.from(part)),
    ])
    .filter((form) => form.length >= SHORTEST);
}

/** Base64 of bytes depends on where they start modulo 3: the three inner parts occur in the base64 of any longer text. */
function base64Forms(bytes: Buffer): string[] {
  const forms = [bytes.toString('hex')];
  for (const offset of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // Characters that also hold bits of the neighbours are left out; 8 characters are enough not to be chance.
    const first = offset === 0 ? 0 : offset + 1;
    const inner = padded.slice(first, Math.floor(((offset + bytes.length) * 8) / 6));
    const whole = offset === 0 ? bytes.toString('base64') : '';
    for (const form of [whole, whole.replace(/=+$/, ''), inner]) {
      if (form.length < 8 && form !== whole) continue;
      forms.push(form, form.replaceAll('+', '-').replaceAll('/', '_'), ...wrapped(form, 64), ...wrapped(form, 76));
    }
  }
  return forms;
}

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (let at = 0; text.length > columns && at < text.length; at += columns) lines.push(text.slice(at, at + columns));
  return lines.filter((line) => line.length >= 8);
}

/** As Python's json.dumps and others write it: everything beyond ASCII as \uXXXX. */
function asciiJson(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function maskInside(value: unknown, mask: (text: string) => string): unknown {
  if (typeof value === 'string') return mask(value);
  if (typeof value === 'number') return mask(String(value)) === String(value) ? value : MASK;
  if (Array.isArray(value)) return value.map((item) => maskInside(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [mask(key), maskInside(item, mask)]));
}

/** encodeURIComponent throws on half a surrogate pair. */
function toWellFormed(text: string): string {
  return Buffer.from(text).toString('utf8');
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
