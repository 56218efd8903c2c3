import tseslint from 'typescript-eslint';
import importX from 'eslint-plugin-import-x';

/** Who may import whom (ARCHITECTURE.md). Anything of ours that is not listed is forbidden; `packages` are npm and node modules allowed there. */
const TABLE = {
  'libs/core': { ours: [], packages: [] },
  'libs/dag': {
    ours: ['core'],
    packages: ['yaml', 'zod', 'cron-parser', 'luxon', '@marcbachmann/cel-js', 're2js', 'ajv', 'node:crypto'],
  },
  'libs/engine': { ours: ['core', 'dag'], packages: ['node:crypto'] },
  'libs/store': { ours: ['core'], packages: ['typeorm', 'pg', 'node:*'] },
  'libs/storage': { ours: ['core'], packages: ['node:*', '@aws-sdk/client-s3', '@aws-sdk/lib-storage'] },
  'libs/release': { ours: ['core', 'dag'], packages: ['node:*'] },
  'libs/runner': { ours: ['core', 'dag'], packages: ['node:*', '@duckdb/node-api', 'tsx', 'tsx/*'] },
  'libs/alerts': { ours: ['core'], packages: ['nodemailer', '@slack/web-api', 'node:*'] },
  'libs/queue': { ours: ['core'], packages: ['bullmq', 'ioredis', 'node:*'] },
  'libs/kubernetes': { ours: ['core'], packages: ['@kubernetes/client-node', 'node:*'] },
  'libs/contracts': { ours: ['core'], packages: ['zod'] },
  'libs/platform': {
    ours: [
      'core',
      'dag',
      'engine',
      'store',
      'storage',
      'release',
      'runner',
      'queue',
      'kubernetes',
      'alerts',
      'contracts',
    ],
    packages: ['*'],
  },
  'libs/testing': {
    ours: [
      'core',
      'dag',
      'engine',
      'store',
      'storage',
      'release',
      'runner',
      'queue',
      'kubernetes',
      'alerts',
      'contracts',
      'platform',
    ],
    packages: ['*'],
  },
  'apps/web': { ours: ['contracts', 'core'], packages: ['*'] },
  'apps/api': { ours: ['platform', 'engine', 'contracts', 'core', 'dag'], packages: ['*'] },
  'apps/scheduler': { ours: ['platform', 'engine', 'contracts', 'core', 'dag'], packages: ['*'] },
  'apps/worker': { ours: ['platform', 'engine', 'contracts', 'core', 'dag'], packages: ['*'] },
  'apps/cli': {
    ours: ['platform', 'engine', 'contracts', 'core', 'dag', 'runner', 'storage', 'release'],
    packages: ['*'],
  },
  'apps/standalone': { ours: ['platform', 'engine', 'contracts', 'core', 'dag'], packages: ['*'] },
};
const LIBS = [
  'core',
  'dag',
  'engine',
  'store',
  'storage',
  'release',
  'runner',
  'queue',
  'kubernetes',
  'alerts',
  'contracts',
  'platform',
  'testing',
];
const NEST_FREE = [
  'libs/core',
  'libs/dag',
  'libs/engine',
  'libs/store',
  'libs/storage',
  'libs/release',
  'libs/runner',
  'libs/queue',
  'libs/kubernetes',
  'libs/alerts',
  'libs/contracts',
];

const boundaries = Object.entries(TABLE).map(([folder, { ours, packages }]) => {
  const patterns = LIBS.filter((lib) => !ours.includes(lib) && folder !== `libs/${lib}`).map((lib) => ({
    regex: `^#${lib}(/|$)`,
    message: `${folder} may not import #${lib} (see the table in eslint.config.mjs).`,
  }));
  if (!packages.includes('*')) {
    const allowed = packages.map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace('\\*', '.*')).join('|');
    patterns.push({
      regex: `^(?!\\.|#)(?!(${allowed || '-'})$).+`,
      message: `${folder} may import these packages only: ${packages.join(', ') || 'none'}.`,
    });
  }
  if (folder !== 'apps/standalone')
    patterns.push({
      regex: '^(\\.\\./)+(apps/|(api|cli|scheduler|worker|standalone|web)/)',
      message: 'apps do not import each other.',
    });
  return {
    files: [`${folder}/**/*.{ts,tsx}`],
    ignores: ['**/*.test.{ts,tsx}', 'libs/testing/**'],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
});

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      '.sluice/**',
      'dags/**',
      'coverage/**',
      '**/*.mjs',
      '**/*.py',
      'templates/**',
    ],
  },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'hack'] }],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'import-x/no-default-export': 'error',
      'no-empty': 'error',
    },
  },
  {
    files: ['libs/core/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', 'console'],
      'no-restricted-syntax': [
        'error',
        { selector: ':function[async=true]', message: 'core is synchronous.' },
        {
          selector: 'CallExpression[callee.object.name=Date][callee.property.name=now]',
          message: 'core has no clock: take `now` as an argument.',
        },
        {
          selector: 'NewExpression[callee.name=Date][arguments.length=0]',
          message: 'core has no clock: take `now` as an argument.',
        },
      ],
    },
  },
  {
    files: NEST_FREE.map((folder) => `${folder}/**/*.ts`),
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only libs/platform/config.ts reads process.env.' },
      ],
    },
  },
  {
    files: ['libs/testing/**', '**/*.config.ts', 'libs/**/*.setup.ts', 'libs/**/*.teardown.ts'],
    rules: { 'import-x/no-default-export': 'off' },
  },
  ...boundaries,
);
