import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { startKafka } from './kafka.ts';
import { openPorts } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { fileProblem, problems, StackProblem, told } from './problem.ts';
import { startRedis } from './redis.ts';
import type { Start, Started } from './service.ts';
import { startServices } from './services.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'orderstream-problem-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const debian = { isDebian: true, isRoot: false, isMac: false };
const root = { isDebian: true, isRoot: true, isMac: false };
const mac = { isDebian: false, isRoot: false, isMac: true };

const every: Record<keyof typeof problems, StackProblem> = {
  noRedis: problems.noRedis(debian),
  noJava: problems.noJava(debian),
  noMaven: problems.noMaven(mac),
  noPostgres: problems.noPostgres(),
  aptFailed: problems.aptFailed(['maven'], 'E: Unable to locate package maven'),
  jarsFailed: problems.jarsFailed('Unknown host repo.maven.apache.org'),
  tooOld: problems.tooOld('Redis', '6.2.0', '7', 'REDIS_URL'),
  unreachable: problems.unreachable('Redis', '127.0.0.1:6379', 'REDIS_URL', 'connection refused'),
  mayNotCreate: problems.mayNotCreate('shop'),
  portTaken: problems.portTaken('redis', 6379),
  noFreePort: problems.noFreePort(),
  alreadyRunning: problems.alreadyRunning('/srv/shop/.data', 4711),
  folderClosed: problems.folderClosed('/srv/shop/.data', 'permission denied'),
  diskFull: problems.diskFull('/srv/shop/.data', 12),
  otherVersion: problems.otherVersion('/srv/shop/.data/postgres', '17', '18'),
  noPassword: problems.noPassword('/srv/shop/.data/postgres.password'),
  diedEarly: problems.diedEarly('redis', '/srv/shop/.data/redis.log', 'one\ntwo'),
  tooSlow: problems.tooSlow('kafka', '/srv/shop/.data/kafka.log', 90),
  editedMigration: problems.editedMigration('orders', '20260101_init'),
  failedMigration: problems.failedMigration('orders', '20260101_init', 'syntax error'),
  emptyMigration: problems.emptyMigration('orders', '20260101_init'),
};

describe('a problem', () => {
  test.each(Object.entries(every))(
    '%s says what is wrong and what helps, without a stack trace',
    (_, problem) => {
      expect(problem.message).toMatch(/^\S.{15,}/);
      expect(problem.message).not.toContain('undefined');
      // A command to type, a setting to change, or a file to read.
      expect(problem.help).toMatch(
        /apt-get|brew|npm |docker|[A-Z]+_[A-Z]+|ss -ltnp|chown|du -xh|ALTER ROLE|log:|port|Restore|Undo/,
      );
      expect(told(problem)).toBe(`${problem.message}\n  ${problem.help}`);
      expect(told(problem)).not.toMatch(/\n\s+at /);
    },
  );

  test('names the command of the machine it happens on', () => {
    expect(problems.noRedis(debian).help).toContain('sudo apt-get install -y redis-server');
    expect(problems.noRedis(root).help).toMatch(/^apt-get install -y redis-server/);
    expect(problems.noRedis(mac).help).toContain('brew install redis');
    expect(problems.noJava(debian).help).toContain('sudo apt-get install -y openjdk-17-jre-headless');
  });

  test('a bug keeps its stack trace', () => {
    expect(told(new TypeError('x is not a function'))).toMatch(/x is not a function\n\s+at /);
  });

  test('what the file system refuses is told as a folder or a disk', () => {
    const refused = (code: string) => fileProblem(Object.assign(new Error(code), { code }), '/srv/x');
    expect((refused('EACCES') as Error).message).toContain('permission denied');
    expect((refused('EROFS') as Error).message).toContain('read-only');
    expect((refused('ENOSPC') as Error).message).toContain('is full');
    const other = new Error('other');
    expect(fileProblem(other, '/srv/x')).toBe(other);
  });
});

describe('what is missing', () => {
  const start = async (starter: (start: Start) => Promise<Started>, env: NodeJS.ProcessEnv) => {
    const ports = await openPorts(folder);
    const signal = new AbortController().signal;
    const given = { dir: folder, env, ports, durable: false, report: () => undefined, signal };
    return starter(given).then(
      () => 'it started',
      (error: unknown) => error,
    );
  };
  const closed = '127.0.0.1:1';

  test('a database that does not answer is named with its setting', async () => {
    const problem = await start(startPostgres, { DATABASE_URL: `postgresql://shop:secret@${closed}` });
    expect(problem).toBeInstanceOf(StackProblem);
    expect(told(problem)).toContain(`PostgreSQL does not answer at ${closed}`);
    expect(told(problem)).toContain('DATABASE_URL');
    expect(told(problem)).not.toContain('secret');
  });

  test('a Redis that does not answer is named with its setting', async () => {
    const problem = await start(startRedis, { REDIS_URL: `redis://:secret@${closed}` });
    expect(told(problem)).toMatch(/Redis does not answer at 127\.0\.0\.1:1.*ECONNREFUSED/);
    expect(told(problem)).not.toContain('secret');
  });

  test('a broker that does not answer is named with its setting', async () => {
    const problem = await start(startKafka, { KAFKA_BROKERS: closed });
    expect(problem).toBeInstanceOf(StackProblem);
    expect(told(problem)).toMatch(/Apache Kafka does not answer at 127\.0\.0\.1:1/);
  });

  test('a machine without Redis is told to install it', async () => {
    const problem = await start(startRedis, { PATH: '/nowhere' });
    expect(told(problem)).toContain('Redis 7 or newer is not installed.');
  });

  test('a machine without Java is told to install it', async () => {
    const problem = await start(startKafka, { PATH: '/nowhere', XDG_CACHE_HOME: folder });
    expect(told(problem)).toContain('Apache Kafka needs Java 17 or newer');
  });

  test('a data folder that cannot be one is named', async () => {
    const file = path.join(folder, 'a-file');
    writeFileSync(file, '');
    const dir = path.join(file, 'data');
    const starting = startServices({ dir, env: {}, durable: false, report: () => undefined });
    await expect(starting).rejects.toThrow(/cannot be used: a file stands where a folder is needed/);
  });
});
