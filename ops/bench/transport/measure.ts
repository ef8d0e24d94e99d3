// What a call to a subgraph costs, and how long it takes, on connections of its own and on shared ones: `node
// ops/bench/transport/measure.ts`. The two take turns in one process, against each kind of subgraph in another; the
// figures are CPU of this process per call and latency of the calls that are not slow by themselves.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openHttpTransport } from '../../../gateway/src/transport/http.ts';
import { usualResilience, withResilience } from '../../../gateway/src/transport/resilience.ts';
import type { Transport } from '../../../gateway/src/transport/transport.ts';
import type { Sharing } from '../../../gateway/src/transport/trust.ts';

const kinds =
  process.argv.length > 2 ? process.argv.slice(2) : ['fast', 'rare', 'named', '2', '2s', '20', '20s'];
const clients = 32;
const rounds = 5;
/** milliseconds of one turn, and before it counts */
const turn = 700;
const settling = 200;

type Contender = {
  readonly name: string;
  readonly transport: Transport<null>;
  readonly cpu: number[];
  readonly perSecond: number[];
  readonly took: number[];
  failed: number;
};

const contender = (origin: string, name: string, sharing: Sharing, isGuarded: boolean): Contender => {
  const http = openHttpTransport<null>({
    name,
    origin,
    path: '/graphql',
    headersOf: () => ['authorization', `Bearer ${'x'.repeat(24)}${Math.random()}`],
    timeoutMs: 5_000,
    largestAnswer: 1_000_000,
    sharing,
  });
  const transport = isGuarded ? withResilience(http, { name, ...usualResilience }) : http;
  return { name, transport, cpu: [], perSecond: [], took: [], failed: 0 };
};

const bodyOf = (operation: string, id: number): string =>
  `{"query":"query ${operation}($id: ID!) { me(id: $id) { id name email city } } ${'#'.repeat(150)}","variables":{"id":"${id}"}}`;

const take = (contender: Contender, isNamed: boolean, length: number, isCounted: boolean): Promise<void> =>
  new Promise((resolve) => {
    let isOver = false;
    let left = clients;
    let calls = 0;
    const client = (): void => {
      let sentAt = 0;
      let isSlow = false;
      const next = (): void => {
        if (isOver) {
          left -= 1;
          if (left === 0) resolve();
          return;
        }
        isSlow = isNamed && Math.random() < 0.01;
        sentAt = performance.now();
        contender.transport.send(bodyOf(isSlow ? 'slowOne' : 'quick', calls), true, null, receiver);
      };
      const receiver = {
        answered: (): void => {
          calls += 1;
          const took = performance.now() - sentAt;
          if (isCounted && !isSlow && took < 190) contender.took.push(took);
          next();
        },
        failed: (): void => {
          contender.failed += 1;
          next();
        },
      };
      next();
    };
    const cpu = process.cpuUsage();
    const began = performance.now();
    for (let at = 0; at < clients; at += 1) client();
    setTimeout(() => {
      const { user, system } = process.cpuUsage(cpu);
      isOver = true;
      if (!isCounted || calls === 0) return;
      contender.cpu.push((user + system) / calls);
      contender.perSecond.push((calls / (performance.now() - began)) * 1_000);
    }, length);
  });

const at = (values: readonly number[], share: number): string => {
  const sorted = [...values].sort((one, other) => one - other);
  return (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(2);
};

for (const kind of kinds) {
  const subgraph = spawn(process.execPath, [new URL('subgraph.ts', import.meta.url).pathname, kind]);
  const [port] = await once(subgraph.stdout, 'data');
  const origin = `http://127.0.0.1:${String(port).trim()}`;
  const contenders = [
    contender(origin, 'own', 'never', false),
    contender(origin, 'shared', 'echoed', false),
    contender(origin, 'shared and guarded', 'echoed', true),
  ];
  for (const one of contenders) await take(one, kind === 'named', 1_500, false);
  for (let round = 0; round < rounds; round += 1)
    for (const one of contenders) {
      await take(one, kind === 'named', settling, false);
      await take(one, kind === 'named', turn, true);
    }
  console.log(`subgraph: ${kind}`);
  console.table(
    contenders.map(({ name, cpu, perSecond, took, failed }) => ({
      connections: name,
      'us/call': at(cpu, 0.5),
      'least us': at(cpu, 0),
      'calls/s': Math.round(Number(at(perSecond, 0.5))),
      p50: at(took, 0.5),
      p99: at(took, 0.99),
      'p99.9': at(took, 0.999),
      failed,
    })),
  );
  await Promise.all(contenders.map(({ transport }) => transport.close()));
  subgraph.kill();
}
