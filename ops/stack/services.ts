import path from 'node:path';
import { type Addresses, forgetAddresses, writeAddresses } from './addresses.ts';
import { startKafka } from './kafka.ts';
import { tryLock } from './lock.ts';
import { checkDisk } from './machine.ts';
import { openFolder } from './place.ts';
import { openPorts, type PortBook, type Ports } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { fileProblem, problems } from './problem.ts';
import { startRedis } from './redis.ts';
import type { Progress, Service, ServiceName, Start, Started } from './service.ts';
import { stopOnSignals } from './signals.ts';

export { removeData } from './place.ts';
export { StackProblem } from './problem.ts';
export type { Progress, Service } from './service.ts';

// The three services everything stands on, real ones, for `npm start` and the tests alike. One process at a time
// holds a data folder; it ends its services when it ends, and what a killed one left behind is ended by the next.

export type Services = Addresses & {
  readonly list: Service[];
  /** Ends what was started here, in an orderly way; what was only checked stays. */
  stop(): Promise<void>;
};

export type ServicesOptions = {
  /** The data folder, absolute. */
  readonly dir: string;
  /** DATABASE_URL, REDIS_URL and KAFKA_BROKERS name services that are used instead; PG_BIN and JAVA_HOME choose programs. */
  readonly env: NodeJS.ProcessEnv;
  readonly ports?: Partial<Ports>;
  /** False for tests: nothing has to survive a power cut. */
  readonly durable: boolean;
  readonly report: (line: Progress) => void;
};

const starters: Record<ServiceName, (start: Start) => Promise<Started>> = {
  postgres: startPostgres,
  redis: startRedis,
  kafka: startKafka,
};

type Begun = Started & { readonly name: ServiceName; readonly tookMs: number };

/** Starts or checks all three at once. Throws a StackProblem, and leaves nothing running, when one cannot be had. */
export const startServices = async (options: ServicesOptions): Promise<Services> => {
  const { dir, env, durable } = options;
  const release = takeFolder(dir);
  const abort = new AbortController();

  const begin = async (name: ServiceName, ports: PortBook): Promise<Begun> => {
    const from = performance.now();
    const report = (text: string) => options.report({ service: name, text });
    const started = await starters[name]({ dir, env, durable, ports, report, signal: abort.signal });
    void started.child?.exited.then((code) => {
      if (!abort.signal.aborted)
        report(`ended by itself (${code ?? 'killed'})\n${started.child?.lastLines()}`);
    });
    return { ...started, name, tookMs: Math.round(performance.now() - from) };
  };

  const begun = openPorts(dir, options.ports).then((ports) => allOrNone(abort, (name) => begin(name, ports)));
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      abort.abort();
      const services = await begun.catch(() => []);
      await Promise.all(services.map(({ child }) => child?.stop()));
      forgetAddresses(dir);
      release();
      forgetSignals();
    })();
    return stopped;
  };
  const forgetSignals = stopOnSignals(stop);

  try {
    const services = await begun;
    const address = (name: ServiceName) => services.find((service) => service.name === name)?.address ?? '';
    const addresses = {
      databaseUrl: address('postgres'),
      redisUrl: address('redis'),
      kafkaBrokers: address('kafka').split(','),
    };
    writeAddresses(dir, addresses);
    const list = services.map(({ name, kind, where, folder, child, tookMs }) => {
      return { name, kind, where, folder, pid: child?.pid ?? null, tookMs };
    });
    return { ...addresses, list, stop };
  } catch (error) {
    await stop();
    throw fileProblem(error, dir);
  }
};

/** When one fails the others are called off at once; the first failure is the one worth telling. */
const allOrNone = async (
  abort: AbortController,
  begin: (name: ServiceName) => Promise<Begun>,
): Promise<Begun[]> => {
  const failures: unknown[] = [];
  const outcomes = await Promise.all(
    (Object.keys(starters) as ServiceName[]).map((name) =>
      begin(name).catch((error: unknown) => {
        failures.push(error);
        abort.abort();
        return null;
      }),
    ),
  );
  const services = outcomes.filter((outcome) => outcome !== null);
  if (failures.length === 0) return services;
  await Promise.all(services.map(({ child }) => child?.stop()));
  throw failures[0];
};

const takeFolder = (dir: string): (() => void) => {
  openFolder(dir);
  checkDisk(dir);
  const taken = tryLock(path.join(dir, 'lock'));
  if ('heldBy' in taken) throw problems.alreadyRunning(dir, taken.heldBy.pid);
  return taken.release;
};
