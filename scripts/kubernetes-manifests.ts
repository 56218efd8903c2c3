import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Container, V1PodTemplateSpec } from '@kubernetes/client-node';
import { parse, parseAllDocuments } from 'yaml';

export const MANIFESTS = join(import.meta.dirname, '..', 'deploy', 'kubernetes');
export const OVERLAYS = ['dev', 'prod'] as const;

/** As much of an object as tests look at; the published schemas say the rest. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>> & { readonly template?: V1PodTemplateSpec };
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
  readonly data?: Readonly<Record<string, string>>;
}

export interface Kustomization {
  readonly namespace?: string;
  readonly resources: readonly string[];
  readonly configMapGenerator?: readonly {
    readonly name: string;
    readonly literals?: readonly string[];
    readonly files?: readonly string[];
  }[];
}

export function readKustomization(folder: string): Kustomization {
  return parse(readFileSync(join(MANIFESTS, folder, 'kustomization.yaml'), 'utf8')) as Kustomization;
}

/** The objects of the files that the kustomization of a folder names; what it takes from other folders is not among them. */
export function objectsOf(folder: string): Manifest[] {
  const files = readKustomization(folder).resources.filter((name) => name.endsWith('.yaml'));
  return files.flatMap((file) => parseObjects(readFileSync(join(MANIFESTS, folder, file), 'utf8')));
}

export function parseObjects(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

export function containersOf(
  objects: readonly Manifest[],
): { readonly of: Manifest; readonly container: V1Container }[] {
  return objects.flatMap((of) => (of.spec?.template?.spec?.containers ?? []).map((container) => ({ of, container })));
}

/** `NAME=value` of a generated ConfigMap. */
export function literalsOf({ configMapGenerator = [] }: Kustomization): Record<string, string> {
  const all = configMapGenerator.flatMap(({ literals = [] }) => literals);
  return Object.fromEntries(all.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
}
