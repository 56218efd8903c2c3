import { readFile, writeFile } from 'node:fs/promises';

const [from, to] = process.argv.slice(2);
const [header, ...lines] = (await readFile(from, 'utf8')).trim().split('\n');
const kept = lines.filter((line) => Number(line.split(',')[2]) > 0);

await writeFile(to, [header, ...kept].join('\n') + '\n');
console.log(`kept ${kept.length} of ${lines.length} orders`);
console.log(`::metric name=rows value=${lines.length}::`);
console.log(`::metric name=rejected value=${lines.length - kept.length}::`);
