// The environment of a tool that works on the shop from outside.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** What is set, and for what that leaves open the services that `npm start` runs. */
export const runningEnvironment = (): NodeJS.ProcessEnv => {
  const file = resolve(import.meta.dirname, '../..', process.env.ORDERSTREAM_DATA ?? '.data', 'stack.json');
  if (!existsSync(file)) return process.env;
  const { services } = JSON.parse(readFileSync(file, 'utf8'));
  return {
    DATABASE_URL: services.databaseUrl,
    REDIS_URL: services.redisUrl,
    KAFKA_BROKERS: services.kafkaBrokers.join(','),
    ...process.env,
  };
};
