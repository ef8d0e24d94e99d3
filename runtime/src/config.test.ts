import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, databaseUrlOf, platformSettings, readSettings, secret } from './config.ts';

const problemsOf = (env: NodeJS.ProcessEnv): readonly string[] => {
  try {
    readSettings(env, platformSettings);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};
const named = (env: NodeJS.ProcessEnv): string[] =>
  problemsOf(env)
    .map((problem) => problem.split(':')[0]!)
    .toSorted();
const own = 'o'.repeat(40);

describe('settings', () => {
  test('a laptop needs none', () => {
    expect(problemsOf({})).toEqual([]);
  });

  test('an empty variable is as good as none', () => {
    expect(readSettings({ PORT: '', REDIS_PREFIX: '' }, platformSettings)).toMatchObject({
      PORT: 4100,
      REDIS_PREFIX: 'os:',
    });
  });

  test('everything that is wrong is told at once, by name', () => {
    const env = {
      PORT: '70000',
      DATABASE_URL: 'nowhere',
      TENANT_ID: 'me',
      PLAIN_HOST: 'yes',
      GATEWAY_SECRET: 'short',
    };
    expect(named(env)).toEqual(Object.keys(env).toSorted());
    expect(() => readSettings(env, platformSettings)).toThrow(/5 problem\(s\):\n {2}\w+/);
  });

  test('several brokers are separated by commas', () => {
    const { KAFKA_BROKERS } = readSettings({ KAFKA_BROKERS: 'a:1, b:2' }, platformSettings);
    expect(KAFKA_BROKERS).toEqual(['a:1', 'b:2']);
  });
});

describe('production', () => {
  test('refuses a default secret', () => {
    expect(named({ NODE_ENV: 'production' })).toEqual(['GATEWAY_SECRET']);
  });

  test('refuses a generated secret, which stands on some disk', () => {
    expect(named({ NODE_ENV: 'production', GATEWAY_SECRET: `generated-${own}` })).toEqual(['GATEWAY_SECRET']);
  });

  test('takes a secret of its owner', () => {
    expect(named({ NODE_ENV: 'production', GATEWAY_SECRET: own })).toEqual([]);
  });

  test('tells of weak secrets beside everything else that is wrong', () => {
    const settings = z.object({ ...platformSettings.shape, TENANT_SECRET: secret('tenant') });
    expect(() => readSettings({ NODE_ENV: 'production', PORT: 'x' }, settings)).toThrow(
      /3 problem[\s\S]*PORT[\s\S]*GATEWAY_SECRET[\s\S]*TENANT_SECRET/,
    );
  });

  test('on a laptop the same secrets do', () => {
    expect(named({ NODE_ENV: 'development', GATEWAY_SECRET: `generated-${own}` })).toEqual([]);
  });
});

describe('databases', () => {
  const server = 'postgres://me@db.example:5433/postgres?sslmode=require';

  test('each subgraph has one of its own on the server', () => {
    expect(databaseUrlOf({}, server, 'gift-cards')).toBe(
      'postgres://me@db.example:5433/orderstream_gift_cards?sslmode=require',
    );
  });

  test('one of them may stand elsewhere', () => {
    const env = { GIFT_CARDS_DATABASE_URL: 'postgres://other/x' };
    expect(databaseUrlOf(env, server, 'gift-cards')).toBe('postgres://other/x');
    expect(databaseUrlOf(env, server, 'orders')).toContain('/orderstream_orders');
  });
});
