import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface ComposeService {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** The file as compose would see it before interpolation: anchors and merges resolved. */
export function readComposeFile(path: string): ComposeFile {
  return parse(readFileSync(path, 'utf8'), { merge: true }) as ComposeFile;
}

/** Every `${NAME…}` in a value. */
export function variablesIn(value: string): readonly { readonly name: string; readonly operator: string }[] {
  return [...value.matchAll(/\$\{([A-Z][A-Z0-9_]*)(:?[-?])?[^}]*\}/g)].map(([, name = '', operator = '']) => ({
    name,
    operator,
  }));
}

/** As compose interpolates: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`. */
export function interpolate(value: string, variables: Readonly<Record<string, string>>): string {
  return value.replace(
    /\$\{([A-Z][A-Z0-9_]*)(?::(-|\?)([^}]*))?\}/g,
    (_, name: string, operator?: string, rest = '') => {
      const given = variables[name] ?? '';
      if (given !== '' || operator === undefined) return given;
      if (operator === '-') return rest as string;
      throw new Error(`${name}: ${rest as string}`);
    },
  );
}
