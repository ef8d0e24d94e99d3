import { defineConfig } from 'vitest/config';

export default defineConfig({
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
