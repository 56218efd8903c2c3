import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Built into dist/web, from where the API serves it. `vite apps/web` serves it for development, against a server on 7460. */
export default defineConfig(({ command }) => {
  // Whoever builds during tests has NODE_ENV=test: what lands in dist/ must not be React's development build.
  if (command === 'build') process.env['NODE_ENV'] = 'production';
  return {
    root: at('.'),
    plugins: [react()],
    resolve: {
      alias: { '#contracts': at('../../libs/contracts/index.ts'), '#core': at('../../libs/core/index.ts') },
    },
    build: {
      outDir: at('../../dist/web'),
      emptyOutDir: true,
      target: 'es2022',
      reportCompressedSize: false,
      // Inlined data: URLs would need a wider content security policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    server: { port: 7461, proxy: { '/api': 'http://127.0.0.1:7460' }, fs: { allow: [at('../..')] } },
  };
});
