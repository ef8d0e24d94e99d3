import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { type Child, endLeftover, endProcess, startChild, startOnFreePort } from './child.ts';
import { run } from './machine.ts';
import { type Place, placeFor } from './place.ts';
import { findPostgres, type PostgresBinaries } from './postgres-binaries.ts';
import { fileProblem, problems } from './problem.ts';
import { commandOf, markOf } from './process-mark.ts';
import type { Start, Started } from './service.ts';

const USER = 'orderstream';
const OLDEST = 150_000;

// The machine of a newcomer is small and shared: connections for a host, a gateway, tests and a console, and memory
// that still fits beside a browser.
const settings = (durable: boolean, socketFolder: string | null): Record<string, string> => ({
  listen_addresses: '127.0.0.1',
  unix_socket_directories: socketFolder ?? '',
  max_connections: '200',
  shared_buffers: '128MB',
  effective_cache_size: '512MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  // A million seeded orders write 3 GB within a minute: checkpoints in between would write the same pages twice.
  max_wal_size: '4GB',
  random_page_cost: '1.1',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_checkpoints: 'off',
  password_encryption: 'scram-sha-256',
  // A test's database is thrown away with the test: nothing of it has to survive a power cut.
  ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
});

/**
 * Programs of this machine come in by a socket file, which costs them half of what the loopback network does. Its whole
 * name may have 107 bytes; in a folder deeper than that everybody takes the network. null: the network.
 */
const socketFolderOf = ({ folder }: Place): string | null =>
  process.platform !== 'win32' && Buffer.byteLength(`${folder}/.s.PGSQL.65535.lock`) <= 107 ? folder : null;

/** DATABASE_URL, only checked; else a server of our own, on data that stays from start to start. */
export const startPostgres = async (start: Start): Promise<Started> => {
  const { DATABASE_URL } = start.env;
  if (DATABASE_URL) return useServer(DATABASE_URL);

  const { dir, ports, report } = start;
  const place = placeFor(dir, 'postgres');
  const binaries = await findPostgres(start.env, place.account);
  const data = path.join(place.folder, 'data');
  const passwordFile = path.join(dir, 'postgres.password');
  if (!existsSync(path.join(data, 'PG_VERSION'))) {
    report(`making a PostgreSQL ${binaries.major} cluster`);
    await makeCluster(start, place, binaries, data, passwordFile);
  }
  const made = readFileSync(path.join(data, 'PG_VERSION'), 'utf8').trim();
  if (made !== String(binaries.major)) throw problems.otherVersion(data, made, String(binaries.major));
  const password = readPassword(passwordFile);

  if (await endLeftover(dir, 'postgres', 'SIGINT')) report('ended a server left over from a crash');
  await dropStalePidFile(data);
  report(`starting PostgreSQL ${binaries.major}`);
  const child = await startOnFreePort(ports, ['postgres'], () => launch(start, place, binaries, data));
  const where = `127.0.0.1:${ports.ports.postgres}`;
  const socketFolder = socketFolderOf(place);
  const address = `postgresql://${USER}:${password}@${where}/postgres${socketFolder ? `?host=${encodeURIComponent(socketFolder)}` : ''}`;
  try {
    await check(address, where);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { kind: binaries.kind, where, folder: data, address, child };
};

const useServer = async (given: string): Promise<Started> => {
  if (!URL.canParse(given)) {
    throw problems.unreachable(
      'PostgreSQL',
      given,
      'DATABASE_URL',
      'it is not a URL (postgresql://user:password@host:5432/postgres)',
    );
  }
  const url = new URL(given);
  if (url.pathname.length < 2) url.pathname = '/postgres';
  await check(url.href, url.host);
  return { kind: 'url', where: url.host, folder: null, address: url.href, child: null };
};

const check = async (url: string, where: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number; shown: string; role: string; creates: boolean }>(
      `select current_setting('server_version_num')::int as version, current_setting('server_version') as shown,
              rolname as role, rolcreatedb or rolsuper as creates
       from pg_roles where rolname = current_user`,
    );
    const [server] = rows;
    if (server && server.version < OLDEST)
      throw problems.tooOld('PostgreSQL', server.shown, '15', 'DATABASE_URL');
    if (server && !server.creates) throw problems.mayNotCreate(server.role);
  } catch (error) {
    if (error instanceof Error && 'help' in error) throw error;
    throw problems.unreachable('PostgreSQL', where, 'DATABASE_URL', reasonOf(error));
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Node joins the failures for IPv6 and IPv4 into one error without a message of its own. */
const reasonOf = (error: unknown): string => {
  const one = error instanceof AggregateError ? error.errors[0] : error;
  return one instanceof Error ? one.message : String(one);
};

const makeCluster = async (
  { signal }: Start,
  place: Place,
  { bin, major }: PostgresBinaries,
  data: string,
  passwordFile: string,
): Promise<void> => {
  // Made aside and renamed, so that a start that was interrupted leaves nothing half made.
  const half = `${data}.new`;
  const handed = path.join(place.folder, 'password.new');
  const password = randomBytes(24).toString('base64url');
  try {
    rmSync(half, { recursive: true, force: true });
    writeFileSync(handed, password, { mode: 0o644 });
    const ctype = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
    const args = [
      ...['-D', half, '-U', USER, '--auth=scram-sha-256', `--pwfile=${handed}`],
      ...['--encoding=UTF8', `--locale=${ctype}`, '--no-sync', '--no-instructions'],
      // The same order of words and the same upper case on every machine, whatever its C library thinks.
      ...(major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
    ];
    const made = await run(path.join(bin, 'initdb'), args, { cwd: '/', signal, ...(place.account ?? {}) });
    if (!made.ok) throw problems.diedEarly('initdb', place.folder, made.lastLine);
    rmSync(passwordFile, { force: true });
    writeFileSync(passwordFile, password, { mode: 0o600 });
    renameSync(half, data);
  } catch (error) {
    throw fileProblem(error, place.folder);
  } finally {
    rmSync(handed, { force: true });
  }
};

const readPassword = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw problems.noPassword(file);
  }
};

/**
 * PostgreSQL takes any living process with the number in its pid file for its own earlier self. After a crash, and
 * in containers always, that may be a stranger: the file is removed unless the process really serves this folder.
 */
const dropStalePidFile = async (data: string): Promise<void> => {
  const file = path.join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  const mark = markOf(pid);
  // We hold the data folder's lock, so a server on it has lost whoever started it.
  if (mark && commandOf(pid).includes(data)) await endProcess(mark, 'SIGINT', 10_000);
  rmSync(file, { force: true });
};

const launch = async (
  start: Start,
  place: Place,
  { bin }: PostgresBinaries,
  data: string,
): Promise<Child> => {
  const options = Object.entries(settings(start.durable, socketFolderOf(place))).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  for (let patience = 20; ; patience--) {
    try {
      return await startChild({
        name: 'postgres',
        file: path.join(bin, 'postgres'),
        args: ['-D', data, '-p', String(start.ports.ports.postgres), ...options],
        env: { ...start.env, LC_ALL: undefined, PGDATA: undefined, TZ: 'UTC' },
        account: place.account,
        dir: start.dir,
        ready: /database system is ready to accept connections/,
        timeoutMs: 60_000,
        stopSignal: 'SIGINT',
        signal: start.signal,
      });
    } catch (error) {
      // The children of a server that was killed need a moment to notice and let go of its shared memory.
      const lingering = error instanceof Error && error.message.includes('shared memory block');
      if (!lingering || patience === 0) throw error;
      await pause(250, undefined, { signal: start.signal });
    }
  }
};
