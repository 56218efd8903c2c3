export interface JunitCase {
  readonly classname: string;
  readonly name: string;
  readonly file?: string;
  /** What went wrong; absent: nothing. */
  readonly failure?: { readonly message: string; readonly type: string; readonly text: string };
  /** Why there is no answer. */
  readonly skipped?: string;
  /** For people who look at a case that passed. */
  readonly output?: string;
}

/** One suite in the XML that CI systems show as tests; ends in a line break. */
export function junitReport(suite: string, cases: readonly JunitCase[]): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter((one) => one.failure === undefined && one.skipped !== undefined).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${cases.length}" failures="${failures}">`,
    `  <testsuite name="${xml(suite)}" tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}">`,
    ...cases.map(caseText),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function caseText({ classname, name, file, failure, skipped, output }: JunitCase): string {
  const open = `    <testcase classname="${xml(classname)}" name="${xml(name)}"${file === undefined ? '' : ` file="${xml(file)}"`}`;
  const inside =
    failure !== undefined
      ? `<failure message="${xml(failure.message)}" type="${xml(failure.type)}">${xml(failure.text)}</failure>`
      : skipped !== undefined
        ? `<skipped message="${xml(skipped)}"/>`
        : output === undefined
          ? null
          : `<system-out>${xml(output)}</system-out>`;
  return inside === null ? `${open}/>` : `${open}>\n      ${inside}\n    </testcase>`;
}

function xml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
  return (
    text
      .replace(/[&<>"']/g, (character) => entities[character] ?? '')
      // XML 1.0 has no way to write these at all.
      .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
  );
}
