import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: [
      // @apollo/subgraph requires the CommonJS build; a schema must not meet a second copy of graphql.
      { find: /^graphql$/, replacement: new URL('node_modules/graphql/index.js', import.meta.url).pathname },
    ],
  },
  test: {
    include: ['{runtime,gateway,subgraphs,ops,tests,prisma}/**/*.test.ts'],
    globalSetup: ['tests/setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores: more workers than that only take turns.
    maxWorkers: 2,
    retry: 0,
  },
});
