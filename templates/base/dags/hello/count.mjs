// An ordinary program: it is given paths, and says what it measured on stdout.
import { readFile } from 'node:fs/promises';

const text = (await readFile(process.argv[2], 'utf8')).trim();
console.log(`read: ${text}`);
console.log(`::metric name=characters value=${text.length}::`);
