import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { readAddresses } from './addresses.ts';
import { removeData } from './place.ts';
import { isAlive, markOf, readMark } from './process-mark.ts';
import { type Progress, type Services, startServices } from './services.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'orderstream-services-'));
// A service that happens to be named in the developer's shell must not be tested in place of our own.
const env = { ...process.env, DATABASE_URL: '', REDIS_URL: '', KAFKA_BROKERS: '' };
const said: Progress[] = [];
const start = () => startServices({ dir, env, durable: true, report: (line) => said.push(line) });
afterAll(() => removeData(dir));

const sql = async (services: Pick<Services, 'databaseUrl'>, statement: string) => {
  const client = new pg.Client(services.databaseUrl);
  await client.connect();
  const { rows } = await client.query(statement);
  await client.end();
  return rows;
};
const withRedis = async <T>(services: Services, work: (redis: Redis) => Promise<T>) => {
  const redis = new Redis(services.redisUrl);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
};
const withKafka = async <T>(
  { kafkaBrokers }: Services,
  work: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
) => {
  const admin = new Kafka({ brokers: kafkaBrokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
};

test('a stopped stack keeps its data, its addresses and its password', async () => {
  const first = await start();
  expect(first.list.map(({ name }) => name)).toEqual(['postgres', 'redis', 'kafka']);
  await sql(first, 'create table kept (n int)');
  await sql(first, 'insert into kept values (7)');
  await withRedis(first, (redis) => redis.set('kept', '7'));
  await withKafka(first, (admin) => admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 3 }] }));
  expect(readAddresses(dir)?.databaseUrl).toBe(first.databaseUrl);
  expect(statSync(path.join(dir, 'services.json')).mode & 0o077).toBe(0);
  expect(statSync(path.join(dir, 'postgres.password')).mode & 0o077).toBe(0);

  await expect(start()).rejects.toThrow(`in use by process ${process.pid}`);
  const marks = first.list.map(({ pid }) => markOf(pid ?? 0));
  await first.stop();
  expect(marks.filter((mark) => mark && isAlive(mark))).toEqual([]);
  expect(readAddresses(dir)).toBeNull();

  const second = await start();
  expect(second.databaseUrl).toBe(first.databaseUrl);
  expect(second.redisUrl).toBe(first.redisUrl);
  expect(second.kafkaBrokers).toEqual(first.kafkaBrokers);
  expect(await sql(second, 'select n from kept')).toEqual([{ n: 7 }]);
  expect(await withRedis(second, (redis) => redis.get('kept'))).toBe('7');
  expect(await withKafka(second, (admin) => admin.listTopics())).toContain('kept');

  // The same again for whoever names them by URL: used, checked, and left running.
  const elsewhere = path.join(dir, 'elsewhere');
  const { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL, kafkaBrokers } = second;
  const given = { ...env, DATABASE_URL, REDIS_URL, KAFKA_BROKERS: kafkaBrokers.join(',') };
  const used = await startServices({ dir: elsewhere, env: given, durable: true, report: () => undefined });
  expect(used.list.map(({ kind, pid }) => `${kind} ${pid}`)).toEqual(['url null', 'url null', 'url null']);
  expect(used.databaseUrl).toBe(second.databaseUrl);
  await used.stop();
  expect(await sql(second, 'select n from kept')).toEqual([{ n: 7 }]);
  await second.stop();
}, 60_000);

/** A process that starts the stack and stays, as `npm start` does. */
const parent = async () => {
  const module = JSON.stringify(path.join(import.meta.dirname, 'services.ts'));
  const code = `
    import { startServices } from ${module};
    await startServices({ dir: ${JSON.stringify(dir)}, env: process.env, durable: true, report: () => {} });
    console.log('up');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const marks = ['postgres', 'redis', 'kafka'].map((name) => readMark(path.join(dir, `${name}.pid`)));
  expect(marks.map((mark) => mark !== null && isAlive(mark))).toEqual([true, true, true]);
  return { child, living: () => marks.filter((mark) => mark && isAlive(mark)) };
};

test('Ctrl-C ends the services with the process', async () => {
  const { child, living } = await parent();
  child.kill('SIGINT');
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGINT');
  expect(living()).toEqual([]);
  expect(existsSync(path.join(dir, 'lock'))).toBe(false);
}, 60_000);

test('what a killed process left running is ended by the next start, which has the data', async () => {
  const { child, living } = await parent();
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(living()).toHaveLength(3);
  said.length = 0;
  const services = await start();
  expect(living()).toEqual([]);
  expect(
    said
      .filter(({ text }) => text.startsWith('ended a'))
      .map(({ service }) => service)
      .sort(),
  ).toEqual(['kafka', 'postgres', 'redis']);
  expect(await sql(services, 'select n from kept')).toEqual([{ n: 7 }]);
  await services.stop();
}, 60_000);
