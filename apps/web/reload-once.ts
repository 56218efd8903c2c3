const KEY = 'sluice-reloaded-at';
const AGAIN_MS = 30_000;

/**
 * After an upgrade the files of an open tab are gone from the server: a page that is opened then cannot be fetched.
 * Loads the new program instead, at the same address; not twice in a row, should a file really be missing.
 */
export function reloadWhenReplaced(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const before = Number(sessionStorage.getItem(KEY) ?? 0);
    if (Date.now() - before < AGAIN_MS || !navigator.onLine) return;
    event.preventDefault();
    // A server that is down would answer the reload with the browser's own error page; then the page's message is better.
    void fetch('/healthz', { cache: 'no-store' }).then(
      (answer) => {
        if (!answer.ok) return;
        sessionStorage.setItem(KEY, String(Date.now()));
        window.location.reload();
      },
      () => undefined,
    );
  });
}
