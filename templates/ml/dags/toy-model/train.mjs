// Logistic regression by gradient descent.
import { readFile, writeFile } from 'node:fs/promises';

const [from, to, rate] = process.argv.slice(2);
const points = JSON.parse(await readFile(from, 'utf8'));
const model = { rate: Number(rate), x: 0, y: 0, bias: 0 };
const epochs = 100;

for (let epoch = 1; epoch <= epochs; epoch++) {
  const slope = { x: 0, y: 0, bias: 0 };
  let loss = 0;
  for (const { x, y, label } of points) {
    const guess = 1 / (1 + Math.exp(-(model.x * x + model.y * y + model.bias)));
    loss -= Math.log(Math.max(1e-12, label === 1 ? guess : 1 - guess));
    slope.x += (guess - label) * x;
    slope.y += (guess - label) * y;
    slope.bias += guess - label;
  }
  for (const name of ['x', 'y', 'bias']) model[name] -= (model.rate * slope[name]) / points.length;
  if (epoch % 10 === 0) {
    console.log(`::progress ${epoch}/${epochs} training::`);
    console.log(`::metric name=loss value=${loss / points.length} step=${epoch}::`);
  }
}
await writeFile(to, JSON.stringify(model));
