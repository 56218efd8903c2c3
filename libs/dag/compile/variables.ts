import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import type { Names } from '../expression/check-expression.ts';
import type { Compiling } from './compiling.ts';

/** Variables that every attempt gets; a task may not set them. */
export const RESERVED_VARIABLES =
  /^(PATH_.*|OUT_.*|PARAM_.*|SLUICE_.*|DS|DATA_.*|TRACEPARENT|__E\d*|LD_.*|BASH_ENV|BASH_FUNC_.*|IFS)$/;

export function compileEnv(
  shape: Readonly<Record<string, string | number | boolean>> | undefined,
  path: Path,
  names: Names,
  compiling: Compiling,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(shape ?? {})) {
    const place = [...path, name];
    checkVariable(name, place, compiling);
    env[name] = String(value);
    compiling.checkTemplate(env[name], place, names);
  }
  return env;
}

export function compileSecrets(
  secrets: readonly string[] | undefined,
  env: readonly string[],
  path: Path,
  compiling: Compiling,
): string[] {
  for (const [index, name] of (secrets ?? []).entries()) {
    checkVariable(name, [...path, index], compiling);
    if (env.includes(name))
      compiling.at([...path, index], `${quote(name)} is a secret and a variable under env.`, 'Rename one of them.');
  }
  return [...new Set(secrets)];
}

function checkVariable(name: string, place: Path, compiling: Compiling): void {
  if (RESERVED_VARIABLES.test(name))
    compiling.atKey(
      place,
      `The variable ${quote(name)} is reserved.`,
      'Choose another name; PATH_, OUT_, DATA_, PARAM_ and SLUICE_ belong to Sluice.',
    );
}
