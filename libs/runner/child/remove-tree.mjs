// Removal of what tasks left behind. A folder may be read-only (Go's module cache is, and the working folder of node
// workers): for an ordinary user its entries can only be removed after it was made writable.
import fs from 'node:fs';
import path from 'node:path';

/** Removes a folder and everything below; never follows links, never throws. */
export function removeTreeSync(folder) {
  try {
    fs.rmSync(folder, { recursive: true, force: true });
  } catch {
    try {
      makeWritable(folder);
      fs.rmSync(folder, { recursive: true, force: true });
    } catch {
      // Something that is not ours, or still growing: the next start tries again.
    }
  }
}

export async function removeTree(folder) {
  try {
    await fs.promises.rm(folder, { recursive: true, force: true });
  } catch {
    removeTreeSync(folder);
  }
}

function makeWritable(folder) {
  fs.chmodSync(folder, 0o700);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) makeWritable(path.join(folder, entry.name));
}
