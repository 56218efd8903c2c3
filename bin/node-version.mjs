// Runs on any Node that knows modules, before anything else is loaded: what a newer one needs would be a syntax error.

/** The oldest of each line of Node that does; lines between them ended without what Sluice and its packages use. */
const OLDEST = ['20.19', '22.13', '24.0'];

/** As `engines` of package.json says it. */
export const NODE_RANGE = OLDEST.map((version, index) =>
  index < OLDEST.length - 1 ? `^${version}.0` : `>=${version.split('.')[0]}`,
).join(' || ');

/** What is wanted and how to get it; null: this version does. */
export function refusalOf(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  const lines = OLDEST.map((oldest) => oldest.split('.').map(Number));
  const newest = lines[lines.length - 1];
  const own = lines.find((line) => line[0] === major);
  if (major > newest[0] || (own !== undefined && minor >= own[1])) return null;
  return {
    wanted: 'Node 20.19 or a newer 20, 22.13 or a newer 22, or 24 and newer',
    remedy: `Install Node ${newest[0]} (https://nodejs.org, or \`nvm install ${newest[0]}\`), then run \`npm ci\` again.`,
  };
}

/** Ends the process with exit code 1 on a Node that does not do. */
export function refuseOtherNodes(version = process.version) {
  const refusal = refusalOf(version);
  if (refusal === null) return;
  process.stderr.write(`error: Sluice needs ${refusal.wanted}; this is ${version}.\nhint: ${refusal.remedy}\n`);
  process.exit(1);
}
