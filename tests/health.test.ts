// A host tells when something it needs is gone, whichever it is, and when it is back. The services are this file's own.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fraud } from '@orderstream/fraud';
import type { Health } from '@orderstream/runtime/host/health';
import { type Host, host } from '@orderstream/runtime/host/host';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startKafka } from '../ops/stack/kafka.ts';
import { databaseOf, migrate } from '../ops/stack/migrate.ts';
import { openFolder } from '../ops/stack/place.ts';
import { openPorts, type PortBook } from '../ops/stack/ports.ts';
import { startPostgres } from '../ops/stack/postgres.ts';
import { startRedis } from '../ops/stack/redis.ts';
import type { ServiceName, Started } from '../ops/stack/service.ts';
import { removeData } from '../ops/stack/services.ts';

const starters = { postgres: startPostgres, redis: startRedis, kafka: startKafka };
const started = new Map<ServiceName, Started>();
let dir: string;
let ports: PortBook;
let running: Host;

/** On the port it had before. */
const start = async (name: ServiceName): Promise<string> => {
  const service = await starters[name]({
    dir,
    env: { ...process.env, DATABASE_URL: '', REDIS_URL: '', KAFKA_BROKERS: '' },
    ports,
    durable: false,
    report: () => undefined,
    signal: new AbortController().signal,
  });
  started.set(name, service);
  return service.address;
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'orderstream-health-'));
  openFolder(dir);
  ports = await openPorts(dir);
  const [databaseUrl, redisUrl, brokers] = await Promise.all([
    start('postgres'),
    start('redis'),
    start('kafka'),
  ]);
  await migrate({ serverUrl: databaseUrl, subgraph: 'fraud' });
  running = await host([fraud], {
    PORT: '0',
    FRAUD_DATABASE_URL: databaseOf('fraud', databaseUrl, {}).url,
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: brokers,
    LOG_LEVEL: 'silent',
  });
}, 120_000);

afterAll(async () => {
  await running?.stop();
  for (const { child } of started.values()) await child?.stop();
  removeData(dir);
});

/** Asked as a load balancer asks, which does not wait for long. */
const health = async (): Promise<Health & { status: number }> => {
  const response = await fetch(`${running.url}/health/ready`, { signal: AbortSignal.timeout(3_000) });
  return { ...((await response.json()) as Health), status: response.status };
};

const expectOnly = async (dependency: string): Promise<void> => {
  const sick = await health();
  expect(sick).toMatchObject({ status: 503, ready: false });
  expect(Object.keys(sick.dependencies).filter((name) => !sick.dependencies[name]!.ok)).toEqual([dependency]);
  // Where it stands is nobody's business outside.
  expect(JSON.stringify(sick)).not.toMatch(/127\.0\.0\.1|:\d{5}/);
  expect((await fetch(`${running.url}/health`)).status).toBe(200);
};
const expectReady = () =>
  vi.waitFor(async () => expect(await health()).toMatchObject({ status: 200, ready: true }), {
    timeout: 20_000,
    interval: 200,
  });

test.each([
  ['redis', 'redis'],
  ['postgres', 'postgres fraud'],
  ['kafka', 'kafka'],
] as const)(
  'while %s is stopped a host is up but not ready, and it is again when that is back',
  async (name, dependency) => {
    await expectReady();
    await started.get(name)!.child!.stop();
    await expectOnly(dependency);
    await start(name);
    await expectReady();
  },
  60_000,
);

test.each(['redis', 'kafka'] as const)(
  'a %s that hangs is as good as none',
  async (name) => {
    const { pid } = started.get(name)!.child!;
    process.kill(pid, 'SIGSTOP');
    try {
      await expectOnly(name);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await expectReady();
  },
  60_000,
);
