/** The first eight characters of a release's digest or of another hash, its algorithm's name left out. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256[:-]/, '').slice(0, 8);
}
