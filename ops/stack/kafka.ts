import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { endLeftover, startChild, startOnFreePort } from './child.ts';
import { type Archive, broker, classArchive, here, type Jars, type Java } from './kafka-jars.ts';
import { run } from './machine.ts';
import type { Ports } from './ports.ts';
import { fileProblem, problems } from './problem.ts';
import type { Start, Started } from './service.ts';

/** KAFKA_BROKERS, only checked; else one broker of Apache Kafka, controller included (KRaft). */
export const startKafka = async (start: Start): Promise<Started> => {
  const { KAFKA_BROKERS } = start.env;
  if (KAFKA_BROKERS) return useBrokers(KAFKA_BROKERS);

  const { dir, ports, report } = start;
  const { java, jars } = await broker(start);
  const archive = classArchive(jars, java);
  const folder = path.join(dir, 'kafka');
  const logs = path.join(folder, 'logs');
  const properties = path.join(folder, 'server.properties');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw fileProblem(error, folder);
  }
  if (await endLeftover(dir, 'kafka', 'SIGTERM')) report('ended a broker left over from a crash');
  const child = await startOnFreePort(ports, ['kafka', 'kafkaController'], async () => {
    writeFileSync(properties, propertiesText(settings(ports.ports, logs)));
    if (!existsSync(path.join(logs, 'meta.properties'))) {
      report('formatting the storage of Apache Kafka');
      await format(start, java, jars, archive, properties);
    }
    report('starting Apache Kafka');
    return startChild({
      name: 'kafka',
      file: java.program,
      args: [...jvm(archive), '-cp', jars.classPath, 'kafka.Kafka', properties],
      env: start.env,
      dir,
      ready: /Kafka Server started/,
      timeoutMs: 90_000,
      stopSignal: 'SIGTERM',
      signal: start.signal,
    });
  });
  // However it ended: an archive is written only by an orderly end.
  void child.exited.then(() => archive.settle());
  const where = `127.0.0.1:${ports.ports.kafka}`;
  return { kind: 'embedded', where, folder, address: where, child };
};

const jvm = (archive: Archive): string[] => [
  ...['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true'],
  `-Dlog4j2.configurationFile=${path.join(here, 'log4j2.xml')}`,
  ...archive.args,
];

/** One node as broker and controller. Sessions and elections are short, so that a killed broker is back in seconds. */
const settings = (ports: Readonly<Ports>, logs: string): Record<string, string | number> => ({
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.quorum.voters': `1@127.0.0.1:${ports.kafkaController}`,
  listeners: `PLAINTEXT://127.0.0.1:${ports.kafka},CONTROLLER://127.0.0.1:${ports.kafkaController}`,
  'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.kafka}`,
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'log.dirs': logs,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 8,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 4,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'group.initial.rebalance.delay.ms': 0,
  'auto.create.topics.enable': 'false',
  'num.network.threads': 2,
  'num.io.threads': 4,
  'log.cleaner.dedupe.buffer.size': 16_777_216,
  'log.segment.bytes': 67_108_864,
  'broker.session.timeout.ms': 3000,
  'broker.heartbeat.interval.ms': 500,
  'controller.quorum.election.timeout.ms': 500,
  'controller.quorum.fetch.timeout.ms': 1000,
});

/** Java's properties format takes a backslash for an escape. */
const propertiesText = (entries: Record<string, string | number>): string =>
  Object.entries(entries)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');

const format = async (
  { dir, env, signal }: Start,
  java: Java,
  { classPath }: Jars,
  archive: Archive,
  properties: string,
): Promise<void> => {
  // The archive is written by the broker's run, which loads far more than this tool.
  const reading = archive.args.filter((arg) => !arg.startsWith('-XX:ArchiveClassesAtExit'));
  const args = [...jvm({ ...archive, args: reading }), '-cp', classPath, 'kafka.tools.StorageTool', 'format'];
  const options = ['-t', clusterId(), '-c', properties, '--ignore-formatted'];
  const done = await run(java.program, [...args, ...options], { env, cwd: '/', signal });
  if (!done.ok) throw problems.diedEarly('kafka-storage format', path.join(dir, 'kafka'), done.lastLine);
};

/** 16 random bytes in base64url; a leading dash would be read as an option. */
const clusterId = (): string => {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? clusterId() : id;
};

const useBrokers = async (given: string): Promise<Started> => {
  const brokers = given.split(',').map((one) => one.trim());
  const { Kafka, logLevel } = await import('kafkajs');
  const admin = new Kafka({
    clientId: 'orderstream-stack',
    brokers,
    connectionTimeout: 3000,
    requestTimeout: 5000,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  }).admin();
  try {
    await admin.connect();
    await admin.describeCluster();
  } catch (error) {
    throw problems.unreachable('Apache Kafka', given, 'KAFKA_BROKERS', (error as Error).message);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
  return { kind: 'url', where: given, folder: null, address: brokers.join(','), child: null };
};
