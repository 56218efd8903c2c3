// Points in a plane; above a line they are mostly 1, below mostly 0. The same parameters give the same points.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

const folder = process.argv[2];
const rows = Number(process.env.PARAM_ROWS);

const points = Array.from({ length: rows }, (_, i) => {
  const random = createHash('sha256').update(String(i)).digest();
  const [x, y, noise] = [0, 4, 8].map((at) => random.readUInt32BE(at) / 2 ** 31 - 1);
  return { x, y, label: 2 * x - y + 0.3 + noise * 0.5 > 0 ? 1 : 0 };
});
// The later points are never seen in training.
const cut = Math.floor(rows * 0.8);
await writeFile(`${folder}/train.json`, JSON.stringify(points.slice(0, cut)));
await writeFile(`${folder}/test.json`, JSON.stringify(points.slice(cut)));
console.log(`${cut} points to train on, ${rows - cut} to test on`);
