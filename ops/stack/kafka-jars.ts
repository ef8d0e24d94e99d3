import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { lock } from './lock.ts';
import { aptInstall, isExecutable, onPath, run, thisMachine, versionLine } from './machine.ts';
import { fileProblem, problems } from './problem.ts';
import type { Start } from './service.ts';

export const here = path.join(import.meta.dirname, 'kafka');

export type Java = { readonly program: string; readonly version: string };
export type Jars = { readonly classPath: string; readonly cache: string };

const OLDEST = 17;
const PACKAGES = { java: 'openjdk-17-jre-headless', maven: 'maven' } as const;

/** Java 17 or newer from JAVA_HOME or the PATH; null when there is none. */
const findJava = (env: NodeJS.ProcessEnv): Java | null => {
  const candidates = [env.JAVA_HOME && path.join(env.JAVA_HOME, 'bin/java'), onPath('java', env)];
  for (const program of candidates) {
    if (!program || !isExecutable(program)) continue;
    const version = javaVersion(program);
    if (Number.parseInt(version, 10) >= OLDEST) return { program, version };
  }
  return null;
};

/** A Java home says its version in a file: reading it spares the start of a virtual machine. */
const javaVersion = (program: string): string => {
  const release = path.join(realpathSync(program), '../../release');
  const line = existsSync(release) ? readFileSync(release, 'utf8') : versionLine(program, ['-version']);
  return line.match(/(?:JAVA_VERSION=|version )"([^"]+)"/)?.[1] ?? '';
};

/** Java and the broker's jars, fetched once per machine. What is missing comes from apt where we may, else is named. */
export const broker = async (start: Start): Promise<{ java: Java; jars: Jars }> => {
  const jars = cached(start.env);
  let java = findJava(start.env);
  const missing = [
    ...(java ? [] : [PACKAGES.java]),
    ...(jars || onPath('mvn', start.env) ? [] : [PACKAGES.maven]),
  ];
  if (missing.length > 0) {
    const machine = thisMachine(start.env);
    if (!machine.isDebian || !machine.isRoot)
      throw java ? problems.noMaven(machine) : problems.noJava(machine);
    start.report(`installing ${missing.join(' and ')} (apt-get)`);
    await aptInstall(missing, start.signal);
    java = findJava(start.env);
  }
  if (!java) throw problems.noJava(thisMachine(start.env));
  return { java, jars: jars ?? (await fetchJars(start)) };
};

/** Outside node_modules, so that neither npm ci nor a second checkout fetches them again. */
const cacheFolder = (env: NodeJS.ProcessEnv): string => {
  const base = env.XDG_CACHE_HOME || path.join(env.HOME || homedir(), '.cache');
  const pom = readFileSync(path.join(here, 'pom.xml'), 'utf8');
  const version = pom.match(/kafka_2\.13<\/artifactId>\s*<version>([^<]+)</)?.[1] ?? '';
  const hash = createHash('sha256').update(pom).digest('hex').slice(0, 12);
  return path.join(base, 'orderstream', `kafka-${version}-${hash}`);
};

const cached = (env: NodeJS.ProcessEnv): Jars | null => {
  const cache = cacheFolder(env);
  const libs = path.join(cache, 'libs');
  if (!existsSync(libs)) return null;
  // One by one and always in the same order: the class-data archive is valid only for the very same class path.
  const names = readdirSync(libs)
    .filter((name) => name.endsWith('.jar'))
    .sort();
  return { cache, classPath: names.map((name) => path.join(libs, name)).join(path.delimiter) };
};

const fetchJars = async ({ env, report, signal }: Start): Promise<Jars> => {
  const cache = cacheFolder(env);
  try {
    const held = await lock(`${cache}.lock`, signal);
    try {
      const other = cached(env);
      if (other) return other;
      report("fetching Apache Kafka's jars (Maven, once per machine)");
      // Complete or absent: the folder gets its name only when Maven is done.
      const half = path.join(cache, 'libs.half');
      rmSync(half, { recursive: true, force: true });
      mkdirSync(half, { recursive: true });
      const done = await run(
        onPath('mvn', env) ?? 'mvn',
        [
          ...['-q', '-B', '-f', path.join(here, 'pom.xml'), 'dependency:copy-dependencies'],
          ...['-DincludeScope=runtime', `-DoutputDirectory=${half}`],
        ],
        { env, cwd: cache, signal },
      );
      if (!done.ok) throw problems.jarsFailed(done.lastLine);
      renameSync(half, path.join(cache, 'libs'));
    } finally {
      held.release();
    }
  } catch (error) {
    throw fileProblem(error, cache);
  }
  return cached(env) as Jars;
};

export type Archive = {
  /** The JVM's arguments that read the archive, or write one. */
  readonly args: readonly string[];
  /** Gives a freshly written archive its name. To be called when the process has ended. */
  settle(): void;
};

/**
 * Java's class-data archive: the parsed classes of an earlier run, which makes a start of 2.5 s one of 1 s. The first
 * run writes it as it ends; each writer has a file of its own, and a rename decides who was first.
 */
export const classArchive = ({ cache }: Jars, { version }: Java): Archive => {
  const ready = path.join(cache, `classes-${version}.jsa`);
  if (existsSync(ready))
    return {
      args: [`-XX:SharedArchiveFile=${ready}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'],
      settle: () => undefined,
    };
  const own = `${ready}.${process.pid}-${Date.now()}`;
  return {
    args: [`-XX:ArchiveClassesAtExit=${own}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'],
    settle: () => {
      if (!existsSync(own)) return;
      if (existsSync(ready)) rmSync(own);
      else renameSync(own, ready);
    },
  };
};
