import { SluiceError, type Assignment, type ClaimedAttempt, type SecretSource } from '#core';

/**
 * What came with the attempts that this worker has: secrets by attempt, roots of storage and folders of data by
 * environment. Secrets are forgotten with their attempts.
 */
export class ClaimedAttempts {
  readonly #secrets = new Map<string, ClaimedAttempt['secrets']>();
  readonly #storages = new Map<string, string>();
  readonly #dataFolders = new Map<string, readonly string[]>();

  /** What the executor is given: a secret's source says which attempt's it is, not where it came from. */
  keep({ assignment, secrets, storages, dataFolders }: ClaimedAttempt): Assignment {
    this.#secrets.set(assignment.attemptId, secrets);
    for (const [environment, url] of Object.entries(storages)) this.#storages.set(environment, url);
    this.#dataFolders.set(assignment.environment, dataFolders);
    const { attemptId } = assignment;
    const sources = Object.keys(assignment.secrets).map((name) => [name, { env: `${attemptId}/${name}` }]);
    return { ...assignment, secrets: Object.fromEntries(sources) as Assignment['secrets'] };
  }

  forget(attemptId: string): void {
    this.#secrets.delete(attemptId);
  }

  /** The value of a secret whose source `keep` made. */
  secret(source: SecretSource): Promise<string> {
    const [attemptId = '', name = ''] = ('env' in source ? source.env : '').split('/');
    const secret = this.#secrets.get(attemptId)?.[name];
    if (secret !== undefined && 'value' in secret) return Promise.resolve(secret.value);
    return Promise.reject(
      new SluiceError('unavailable', secret?.problem ?? `The secret ${name} did not come with it.`),
    );
  }

  storageOf(environment: string): string {
    const url = this.#storages.get(environment);
    if (url !== undefined) return url;
    throw new SluiceError('not_found', `The API does not know the environment "${environment}".`, {
      hint: 'Its file has to be in environments/ of the project that the API is started on.',
    });
  }

  dataFolders(environment: string): readonly string[] {
    return this.#dataFolders.get(environment) ?? [];
  }
}
