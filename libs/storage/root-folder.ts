import path from 'node:path';
import { relativeSegment, SluiceError } from '#core';
import { contained } from './contained.ts';

/** Manifest of a version, inside its folder. */
export const MANIFEST = '_sluice.json';
/** Everything in a storage root that is not a published location. */
export const OURS = '.sluice';
/** Folders of ours that hold one for each run, of what it leaves besides its data. */
export const KINDS_OF_A_RUN = ['logs', 'evidence', 'artefacts'] as const;

/** An environment's storage root and the places Sluice keeps in it. */
export class RootFolder {
  readonly root: string;
  /** False leaves out fsync: a power cut may lose what was just written, a kill of the process does not. */
  readonly durable: boolean;

  constructor(root: string, durable: boolean) {
    if (!path.isAbsolute(root))
      throw new SluiceError('invalid_config', `The storage root "${root}" is not an absolute path.`, {
        hint: 'Give an absolute path, or file:///… in the environment file.',
      });
    this.root = path.resolve(root);
    this.durable = durable;
  }

  /** Absolute folder of a version; it may not exist. */
  version(version: string): string {
    return contained(this.root, `${OURS}/versions/${version}`);
  }

  staging(name: string): string {
    return this.inside('staging', name);
  }

  /** Where copies are made, and what is being removed. */
  incoming(name: string): string {
    return this.inside('incoming', name);
  }

  /** Where a published location is shown; the last part may be a link. */
  location(location: string): string {
    if (location.split('/')[0] === OURS || location.split('/').includes(MANIFEST))
      throw new SluiceError('bad_request', `Location "${location}" uses a reserved name.`, {
        hint: `"${OURS}" and "${MANIFEST}" belong to Sluice; choose another \`at:\` for the path.`,
      });
    return contained(this.root, location, { lastMayBeLink: true });
  }

  private inside(kind: string, ...names: readonly (string | number)[]): string {
    return contained(this.root, [OURS, kind, ...names.map((name) => relativeSegment(String(name)))].join('/'));
  }

  evidence(runId: string, taskId: string, mapIndex: number): string {
    return this.inside('evidence', runId, taskId, mapIndex);
  }

  logs(runId: string, taskId: string, mapIndex: number, number: number): string {
    return this.inside('logs', runId, taskId, mapIndex, number);
  }

  artefacts(runId: string, taskId: string, mapIndex: number, number: number): string {
    return this.inside('artefacts', runId, taskId, mapIndex, number);
  }

  /** Everything of a run but its data. */
  ofRun(runId: string): string[] {
    return KINDS_OF_A_RUN.map((kind) => this.inside(kind, runId));
  }

  pointer(locationHash: string): string {
    return this.inside('pointers', locationHash);
  }
}
