import path from 'node:path';
import { endLeftover, startChild, startOnFreePort } from './child.ts';
import { aptInstall, onPath, run, thisMachine, versionLine } from './machine.ts';
import { placeFor } from './place.ts';
import { problems } from './problem.ts';
import type { Start, Started } from './service.ts';

const OLDEST = 7;

/** REDIS_URL, only checked; else the system's redis-server on a folder of our own. */
export const startRedis = async (start: Start): Promise<Started> => {
  const { REDIS_URL } = start.env;
  if (REDIS_URL) return useServer(REDIS_URL);

  const { dir, ports, report } = start;
  const server = await findServer(start);
  const { folder, account } = placeFor(dir, 'redis');
  if (await endLeftover(dir, 'redis', 'SIGTERM')) report('ended a server left over from a crash');
  report('starting Redis');
  const child = await startOnFreePort(ports, ['redis'], () =>
    startChild({
      name: 'redis',
      file: server,
      args: Object.entries(settings(ports.ports.redis, folder, start.durable)).flatMap(([name, value]) => [
        `--${name}`,
        value,
      ]),
      env: start.env,
      account,
      dir,
      ready: /Ready to accept connections/,
      timeoutMs: 60_000,
      stopSignal: 'SIGTERM',
      signal: start.signal,
    }),
  );
  const where = `127.0.0.1:${ports.ports.redis}`;
  return { kind: 'system', where, folder, address: `redis://${where}`, child };
};

const settings = (port: number, folder: string, durable: boolean): Record<string, string> => ({
  port: String(port),
  bind: '127.0.0.1',
  'protected-mode': 'yes',
  daemonize: 'no',
  dir: folder,
  save: '',
  appendonly: durable ? 'yes' : 'no',
  appendfsync: 'everysec',
  loglevel: 'notice',
  logfile: '',
});

/** The program; installed first where we may. */
const findServer = async ({ env, report, signal }: Start): Promise<string> => {
  const found = onPath('redis-server', env);
  if (!found) {
    const machine = thisMachine(env);
    if (!machine.isDebian || !machine.isRoot) throw problems.noRedis(machine);
    report('installing redis-server (apt-get)');
    await aptInstall(['redis-server'], signal);
    await stopSystemService();
  }
  const server = found ?? onPath('redis-server', env) ?? '/usr/bin/redis-server';
  const version = versionLine(server, ['--version']).match(/v=(\d+)(\S*)/);
  if (!version) throw problems.noRedis(thisMachine(env));
  if (Number(version[1]) < OLDEST)
    throw problems.tooOld('Redis', `${version[1]}${version[2]}`, '7', 'REDIS_URL');
  return server;
};

/** Debian starts what it installs. Nobody asked for a server on the standard port: only the program was wanted. */
const stopSystemService = async (): Promise<void> => {
  const byInit = await run('service', ['redis-server', 'stop']);
  if (!byInit.ok) await run('systemctl', ['stop', 'redis-server']);
  await run('systemctl', ['disable', 'redis-server']);
};

const useServer = async (url: string): Promise<Started> => {
  const { Redis } = await import('ioredis');
  const where = URL.canParse(url) ? new URL(url).host || path.basename(url) : url;
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5000,
    commandTimeout: 5000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason = '';
  client.on('error', (error: Error) => {
    reason = error.message;
  });
  try {
    await client.connect();
    const version = (await client.info('server')).match(/redis_version:(\d+)(\S*)/);
    if (Number(version?.[1] ?? 0) < OLDEST) {
      throw problems.tooOld('Redis', `${version?.[1]}${version?.[2]}`, '7', 'REDIS_URL');
    }
    return { kind: 'url', where, folder: null, address: url, child: null };
  } catch (error) {
    if (error instanceof Error && 'help' in error) throw error;
    throw problems.unreachable('Redis', where, 'REDIS_URL', reason || (error as Error).message);
  } finally {
    client.disconnect();
  }
};
