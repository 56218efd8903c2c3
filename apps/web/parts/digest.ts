/** The first eight characters of a release's digest or of another hash, its algorithm's name left out. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256[:-]/, '').slice(0, 8);
}

/** The last part of a version's id, which is its location and a name of its own: `v3-17ae8ba95b25dbae`. */
export function shortVersion(version: string): string {
  return version.slice(version.lastIndexOf('/') + 1).slice(0, 12);
}
