import { readdir, readFile, writeFile } from 'node:fs/promises';

const [models, test, best] = process.argv.slice(2);
const points = JSON.parse(await readFile(test, 'utf8'));

const scored = [];
for (const key of (await readdir(models)).filter((name) => !name.startsWith('_')).sort()) {
  const model = JSON.parse(await readFile(`${models}/${key}/model.json`, 'utf8'));
  const right = points.filter(({ x, y, label }) => (model.x * x + model.y * y + model.bias > 0 ? 1 : 0) === label);
  scored.push({ key, model, accuracy: right.length / points.length });
  console.log(`${key}: accuracy ${scored.at(-1).accuracy.toFixed(3)}`);
}
scored.sort((a, b) => b.accuracy - a.accuracy);

const ones = points.filter(({ label }) => label === 1).length / points.length;
console.log(`::metric name=accuracy value=${scored[0].accuracy}::`);
console.log(`::metric name=baseline value=${Math.max(ones, 1 - ones)}::`);
await writeFile(`${best}/model.json`, JSON.stringify(scored[0].model));
