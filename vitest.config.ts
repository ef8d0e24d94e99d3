import { defineConfig } from 'vitest/config';

const aftermath = 'tests/journeys/aftermath.test.ts';

export default defineConfig({
  resolve: {
    alias: [
      // @apollo/subgraph requires the CommonJS build; a schema must not meet a second copy of graphql.
      { find: /^graphql$/, replacement: new URL('node_modules/graphql/index.js', import.meta.url).pathname },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'shop',
          include: ['{runtime,gateway,subgraphs,ops,tests,prisma}/**/*.test.ts'],
          exclude: ['**/node_modules/**', aftermath],
        },
      },
      // What the journeys leave behind is looked at when all of them are over.
      { extends: true, test: { name: 'aftermath', include: [aftermath], sequence: { groupOrder: 1 } } },
    ],
    // The product comes up only for journeys, on the services.
    globalSetup: ['tests/setup.ts', 'tests/product.ts'],
    testTimeout: 30_000,
    hookTimeout: 90_000,
    // Two cores: more workers than that only take turns.
    maxWorkers: 2,
    retry: 0,
    // kafkajs makes Node warn of a negative time-out at each connection.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
  },
});
