// Real PostgreSQL, Redis and Kafka for one run of the tests, on ports and in a folder of their own.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { removeData } from '../ops/stack/place.ts';
import { StackProblem, startServices } from '../ops/stack/services.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    services: { databaseUrl: string; redisUrl: string; kafkaBrokers: string[] };
  }
}

export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const dir = await mkdtemp(join(tmpdir(), 'orderstream-test-'));
  try {
    const services = await startServices({ dir, env: process.env, durable: false, report: () => undefined });
    const { databaseUrl, redisUrl, kafkaBrokers } = services;
    project.provide('services', { databaseUrl, redisUrl, kafkaBrokers });
    return async () => {
      await services.stop();
      removeData(dir);
    };
  } catch (error) {
    if (error instanceof StackProblem) console.error(`\n${error.message}\n${error.help}\n`);
    throw error;
  }
};
