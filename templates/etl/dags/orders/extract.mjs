// Stands for a real source. The same day gives the same rows, so a run can be repeated.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

const day = process.env.DS;
const rows = Number(process.env.PARAM_ROWS);
const countries = ['DE', 'FR', 'IT', 'ES', 'PL'];

const lines = Array.from({ length: rows }, (_, i) => {
  const random = createHash('sha256').update(`${day} ${i}`).digest();
  const amount = (random.readUInt16BE(0) / 100).toFixed(2);
  // One order in about twenty has no amount: real sources are like that.
  return [`${day}-${i}`, countries[random[2] % countries.length], random[3] < 13 ? '' : amount].join(',');
});
await writeFile(process.argv[2], ['id,country,amount', ...lines].join('\n') + '\n');
console.log(`extracted ${rows} orders of ${day}`);
