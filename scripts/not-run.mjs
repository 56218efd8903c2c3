import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { bold, ROOT, yellow } from './parts.mjs';

/** Titles of the tests that were skipped, by file, from jest's JSON report; empty when there is no report. */
export function skippedTests(reportFile) {
  let report;
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8'));
  } catch {
    return [];
  }
  return report.testResults.flatMap(({ name, assertionResults }) => {
    const titles = assertionResults.filter(({ status }) => status === 'pending').map(({ fullName }) => fullName);
    return titles.length === 0 ? [] : [{ file: relative(ROOT, name), titles }];
  });
}

/** Says loudly what did not run and how to get it to run; prints nothing when everything ran. */
export function reportNotRun(skipped, missingTools) {
  if (skipped.length === 0 && missingTools.length === 0) return;
  const count = skipped.reduce((sum, { titles }) => sum + titles.length, 0);
  const heading = count === 0 ? 'MISSING' : `NOT RUN: ${count} test${count === 1 ? '' : 's'}`;
  const lines = ['', bold(yellow(heading))];
  for (const { file, titles } of skipped) {
    lines.push(`  ${file}`);
    for (const title of titles.slice(0, 5)) lines.push(`    - ${title}`);
    if (titles.length > 5) lines.push(`    - … and ${titles.length - 5} more`);
  }
  for (const { name, remedy } of missingTools) lines.push(yellow(`  ${name} is missing: ${remedy}`));
  process.stdout.write(`${lines.join('\n')}\n`);
}
