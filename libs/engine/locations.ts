import type { CompiledPipeline } from '#core';
import type { Scope } from '#dag';
import { renderTemplate } from '#dag';

/** Renders a declared path to its location relative to the environment's root; a fan-out adds its key as the last folder. */
export function renderLocation(
  pipeline: CompiledPipeline,
  path: string,
  scope: Scope,
  mapKey: string,
): { ok: true; location: string } | { ok: false; message: string } {
  const declared = pipeline.paths[path];
  if (!declared) return { ok: false, message: `path "${path}" is not declared in dags/${pipeline.file}` };
  const rendered = renderTemplate(declared.at, scope);
  if (!rendered.ok) return { ok: false, message: `path "${path}" (\`${declared.at}\`): ${rendered.message}` };
  const partition = declared.partition === 'ds' ? `ds=${String(scope.ds)}` : null;
  if (partition !== null && scope.ds === undefined)
    return {
      ok: false,
      message: `path "${path}" has one partition per interval, and this run has no interval; trigger it with --at or --from/--to`,
    };
  const parts = [declared.shared ? '' : pipeline.name, rendered.value, partition ?? '', mapKey].filter(
    (part) => part !== '',
  );
  const location = parts.join('/');
  const bad = location
    .split('/')
    .find((part) => part === '..' || part === '.' || part === '' || part === '.sluice' || /[\0\\]/.test(part));
  if (bad !== undefined)
    return {
      ok: false,
      message: `path "${path}" renders to "${location}", which leaves the environment's storage (part "${bad}")`,
    };
  return { ok: true, location };
}
