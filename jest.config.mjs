// `*.test.ts` beside a file is pure or uses only files; `*.db.test.ts` needs Postgres; `*.e2e.test.ts` the built program.
const transform = {
  '^.+\\.tsx?$': [
    '@swc/jest',
    {
      jsc: {
        parser: { syntax: 'typescript', tsx: true, decorators: true },
        transform: { legacyDecorator: true, react: { runtime: 'automatic' } },
        target: 'es2023',
      },
      module: { type: 'es6' },
    },
  ],
  // @fastify/static is CommonJS and requires this ES module, which Node 20 can do and Jest on Node 20 cannot.
  'node_modules/content-disposition/.+\\.js$': ['@swc/jest', { module: { type: 'commonjs' } }],
};
const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform,
  transformIgnorePatterns: ['/node_modules/(?!content-disposition/)'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.sluice'],
};
export default {
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs,bench,jenkins,scripts}/**/*.test.ts?(x)'],
      testPathIgnorePatterns: ['\\.(db|e2e)\\.test\\.tsx?$'],
    },
    {
      ...base,
      displayName: 'db',
      testMatch: ['<rootDir>/{apps,libs}/**/*.db.test.ts'],
      globalSetup: '<rootDir>/libs/testing/database.setup.ts',
      globalTeardown: '<rootDir>/libs/testing/database.teardown.ts',
    },
    {
      ...base,
      displayName: 'e2e',
      testMatch: ['<rootDir>/{apps,libs,bench,jenkins,scripts}/**/*.e2e.test.ts'],
      globalSetup: '<rootDir>/libs/testing/database.setup.ts',
      globalTeardown: '<rootDir>/libs/testing/database.teardown.ts',
    },
  ],
  testTimeout: 60_000,
};
