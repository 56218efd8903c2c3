import { readFileSync } from 'node:fs';
import { Secret } from './secret.ts';

/** The part of the configuration's reader that this needs. */
interface Reader {
  text(name: string): string | null;
  /** Notes that a variable does not fit; `shown` must not be a secret. */
  wrong(name: string, shown: string, expected: string): null;
}

/** A variable, or the content of the file that `<name>_FILE` names; null when neither is set, or what is set does not fit. */
export function secretVariable(read: Reader, name: string, atLeast: number): Secret | null {
  const file = read.text(`${name}_FILE`);
  let value = read.text(name);
  if (file !== null) {
    if (value !== null) return read.wrong(`${name}_FILE`, 'set beside it', `either it or ${name}`);
    try {
      value = readFileSync(file, 'utf8').trim();
    } catch (error) {
      return read.wrong(`${name}_FILE`, JSON.stringify(file), `a file that can be read (${(error as Error).message})`);
    }
  }
  if (value === null) return null;
  if (value.length >= atLeast && /^[\x21-\x7e]{1,512}$/.test(value)) return new Secret(value);
  return read.wrong(
    file === null ? name : `${name}_FILE`,
    'malformed (not shown)',
    `${atLeast} to 512 printable characters without spaces`,
  );
}
