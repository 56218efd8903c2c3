import { appendFile, readFile, writeFile } from 'node:fs/promises';

const [from, to] = process.argv.slice(2);
const [, ...lines] = (await readFile(from, 'utf8')).trim().split('\n');

const revenue = {};
for (const line of lines) {
  const [, country, amount] = line.split(',');
  revenue[country] = (revenue[country] ?? 0) + Number(amount);
}
const total = Object.values(revenue).reduce((sum, each) => sum + each, 0);
await writeFile(to, `${JSON.stringify({ day: process.env.DS, total, revenue }, null, 2)}\n`);
console.log(`::metric name=revenue value=${total.toFixed(2)}::`);

// What stands in this file is shown on the run's page.
const table = Object.entries(revenue).map(([country, sum]) => `| ${country} | ${sum.toFixed(2)} |`);
await appendFile(process.env.SLUICE_SUMMARY, ['| country | revenue |', '| --- | ---: |', ...table, ''].join('\n'));
