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
    // The product comes up only for journeys, on the services.
    globalSetup: ['tests/setup.ts', 'tests/product.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two cores: more workers than that only take turns.
    maxWorkers: 2,
    retry: 0,
  },
});
