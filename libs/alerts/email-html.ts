import type { EmailContent } from './email-content.ts';
import { EVENT_LOOKS } from './event-look.ts';
import { escapeHtml } from './html-text.ts';

/** Light by default; mail programs that know the dark scheme take the second set. */
const STYLE = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 24px 12px; background: #f5f6f8; color: #1c2128; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
.card { max-width: 640px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d9dee4; border-left-width: 6px; border-radius: 8px; }
h1 { margin: 0 0 8px; font-size: 20px; line-height: 1.3; }
p { margin: 0 0 16px; }
table { border-collapse: collapse; margin: 0 0 16px; }
th { padding: 2px 16px 2px 0; text-align: left; vertical-align: top; font-weight: 400; color: #59636e; white-space: nowrap; }
td { padding: 2px 0; word-break: break-word; }
a.button { display: inline-block; margin: 0 8px 16px 0; padding: 8px 16px; border: 1px solid #1f6feb; border-radius: 6px; color: #1f6feb; text-decoration: none; }
h2 { margin: 8px 0 4px; font-size: 14px; font-weight: 600; }
pre { margin: 0; padding: 12px; overflow-x: auto; background: #f0f2f5; border-radius: 6px; font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre-wrap; word-break: break-word; }
ul { margin: 0 0 16px; padding-left: 20px; }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #e6edf3; }
  .card { background: #161b22; border-color: #30363d; }
  th { color: #9198a1; }
  a.button { border-color: #58a6ff; color: #58a6ff; }
  pre { background: #0d1117; }
}`;

/** A whole HTML document without scripts, images or anything fetched. */
export function formatEmailHtml(content: EmailContent): string {
  const { color } = EVENT_LOOKS[content.event];
  const facts = content.facts.map(
    ({ label, value }) => `<tr><th>${escapeHtml(label)}</th><td>${bidi(value)}</td></tr>`,
  );
  const links = content.links.map(
    ({ text, url }) => `<a class="button" href="${escapeHtml(url)}">${escapeHtml(text)}</a>`,
  );
  const before = content.before.map((line) => `<li>${bidi(line)}</li>`);
  return [
    '<!doctype html>',
    '<html lang="en" dir="ltr">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="supported-color-schemes" content="light dark">',
    `<title>${escapeHtml(content.headline)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<div class="card" style="border-left-color: ${color}">`,
    `<h1>${escapeHtml(content.headline)}</h1>`,
    `<p>${bidi(content.title)}</p>`,
    `<table role="presentation">${facts.join('')}</table>`,
    links.length > 0 ? `<div>${links.join('')}</div>` : '',
    before.length > 0 ? `<h2>Before</h2><ul>${before.join('')}</ul>` : '',
    content.log.length > 0
      ? `<h2>${escapeHtml(content.logCaption)}</h2><pre>${escapeHtml(content.log.join('\n'))}</pre>`
      : '',
    '</div>',
    '</body>',
    '</html>',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** Right-to-left text in a value must not reorder what stands around it. */
function bidi(text: string): string {
  return `<bdi>${escapeHtml(text)}</bdi>`;
}
