import fs from 'node:fs';

const TIMEOUT_MS = 60_000;
const UPLOAD_TIMEOUT_MS = 30 * 60_000;

/** The REST API of a tracking server. Codes in `expected` are answers (null); every other refusal is an error by its code. */
export function createClient(uri, token, signal) {
  const base = uri.replace(/\/+$/, '');
  if (new URL(base).username !== '')
    throw new Error('tracking_uri holds a user; name the secret MLFLOW_TRACKING_TOKEN instead');
  const headers = token === undefined ? {} : { authorization: `Bearer ${token.trim()}` };

  async function call(method, name, url, request, timeoutMs, expected = []) {
    let response;
    try {
      // A redirect would carry the token to whom nobody named.
      const timed = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      response = await fetch(url, { method, ...request, redirect: 'manual', signal: timed });
    } catch (error) {
      throw new Error(`${name} at ${base} could not be asked: ${error.cause?.message ?? error.message}`);
    }
    const text = await response.text();
    const body = parsed(text);
    if (response.ok) return body ?? {};
    if (expected.includes(body?.error_code)) return null;
    const why = body?.error_code === undefined ? '' : `, ${body.error_code}: ${String(body.message).slice(0, 300)}`;
    throw new Error(`${name} at ${base} answered ${response.status}${why}`);
  }

  return {
    get: (name, query, expected) =>
      call(
        'GET',
        name,
        `${base}/api/2.0/mlflow/${name}?${new URLSearchParams(query)}`,
        { headers },
        TIMEOUT_MS,
        expected,
      ),
    post: (name, value, expected) =>
      call(
        'POST',
        name,
        `${base}/api/2.0/mlflow/${name}`,
        { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(value) },
        TIMEOUT_MS,
        expected,
      ),
    put: async (name, file) => {
      const encoded = name.split('/').map(encodeURIComponent).join('/');
      const body = await fs.openAsBlob(file);
      const request = { headers: { ...headers, 'content-type': 'application/octet-stream' }, body };
      await call(
        'PUT',
        `artifact ${name}`,
        `${base}/api/2.0/mlflow-artifacts/artifacts/${encoded}`,
        request,
        UPLOAD_TIMEOUT_MS,
      );
    },
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    // An answer of something in between; its status says enough.
    return null;
  }
}
