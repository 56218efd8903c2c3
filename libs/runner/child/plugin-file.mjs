// Where the code of a plugin lies: below the release, or in the npm package that its plugin.yaml names.
import fs from 'node:fs';
import path from 'node:path';

/** The file to import. Throws when the package is not installed, or in another version than the release was made with. */
export function pluginFile({ package: name, version, folder, entry }, { releaseDir, moduleRoot }) {
  if (name === null) return path.join(releaseDir, folder, entry);
  const installed = packageFolder(name, [
    releaseDir,
    ...(moduleRoot === null ? [] : [moduleRoot, `${moduleRoot}/dags`]),
  ]);
  if (installed === null)
    throw new Error(`the npm package ${name} is not installed; run \`npm install ${name}@${version}\` in the project`);
  const found = JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8')).version;
  if (found !== version)
    throw new Error(
      `the npm package ${name} is installed in version ${found}, and the release was made with ${version}; ` +
        `run \`npm install ${name}@${version}\`, or \`sluice plugins add ${name}\` and commit what it changes`,
    );
  return path.join(installed, entry);
}

function packageFolder(name, starts) {
  for (const start of starts)
    for (let folder = start; ; folder = path.dirname(folder)) {
      const candidate = path.join(folder, 'node_modules', name);
      if (fs.existsSync(path.join(candidate, 'package.json'))) return candidate;
      if (folder === path.dirname(folder)) break;
    }
  return null;
}
