// `npm run bench -- subscriptions`: many clients who watch orders through the gateway. How much later do they hear of a
// change, how often is a subgraph asked, and what does a client cost that does nothing, or reads nothing?
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gatewayFlags } from '../../gateway/flags.ts';
import { canPin, freePort, start } from './processes.ts';
import { directQuestion, type Order, question, type Ringing, type Told } from './subscriptions-world.ts';

export const usage = `npm run bench -- subscriptions [options]
  --clients N      10000 otherwise
  --orders N       that they watch, 1000 otherwise
  --events N       changes in a second, 200 otherwise
  --seconds N      10 otherwise
  --json FILE      writes the figures there, too`;

/**
 * What is promised, in milliseconds and bytes. Added is what the slowest hundredth waits longer than half of those who
 * hear the subgraph itself.
 */
const promised = { addedMs: 100, stalled: 1024 * 1024 };

const read = (args: readonly string[]) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clients: { type: 'string', default: '10000' },
      orders: { type: 'string', default: '1000' },
      events: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '10' },
      json: { type: 'string' },
    },
  });
  const whole = (name: 'clients' | 'orders' | 'events' | 'seconds'): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1 on.`);
    return value;
  };
  return {
    clients: whole('clients'),
    orders: whole('orders'),
    events: whole('events'),
    seconds: whole('seconds'),
    json: values.json,
  };
};

type Options = ReturnType<typeof read>;

/** clients that hear the subgraph itself */
const few = 50;

const programs = {
  source: fileURLToPath(new URL('subscriptions-source.ts', import.meta.url)),
  gateway: fileURLToPath(new URL('subscriptions-gateway.ts', import.meta.url)),
  load: fileURLToPath(new URL('subscriptions-load.ts', import.meta.url)),
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const answerOf = async <T>(url: string, body?: object): Promise<T> => {
  for (let tries = 0; ; tries += 1) {
    try {
      const init = body ? { method: 'POST', body: JSON.stringify(body) } : {};
      return (await (await fetch(url, init)).json()) as T;
    } catch (error) {
      if (tries === 200) throw error;
      await pause(50);
    }
  }
};

const startClients = () => {
  const child: ChildProcess = fork(programs.load);
  if (canPin) spawnSync('taskset', ['-a', '-cp', '1', String(child.pid)]);
  return {
    ask: async (order: Order): Promise<Told> => {
      child.send(order);
      const [told] = await once(child, 'message');
      return told as Told;
    },
    stop: () => {
      child.kill();
    },
  };
};

type Clients = ReturnType<typeof startClients>;
type GatewayState = {
  readonly held: number;
  readonly rss: number;
  /** of its event loop since it was asked last */
  readonly longestTurnMs: number;
};

/** milliseconds */
const quantile = (sorted: readonly number[], share: number): number =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN) / 1_000;

const all = async (clients: Clients, count: number, what: 'connected' | 'subscribed'): Promise<void> => {
  for (let tries = 0; ; tries += 1) {
    const told = await clients.ask({ do: 'forget' });
    if (told[what] >= count) return;
    if (tries === 600) throw new Error(`Only ${told[what]} of ${count} clients are ${what}.`);
    await pause(100);
  }
};

const quantilesOf = ({ delays }: Told) => ({
  p50: quantile(delays, 0.5),
  p99: quantile(delays, 0.99),
  most: quantile(delays, 1),
});

/** seconds of processor, user and system */
const processorOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

const run = async (options: Options, say: (what: string) => void) => {
  const [sourcePort, gatewayPort] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${sourcePort}`;
  const source = start({ command: [programs.source, String(sourcePort)], isGateway: false });
  const command = ['--expose-gc', ...gatewayFlags, programs.gateway, String(gatewayPort), origin];
  const gateway = start({ command, isGateway: true });
  const [clients, direct, stalled] = [startClients(), startClients(), startClients()];
  const control = `${origin}/control`;
  const ring = (how: Ringing) => answerOf(control, how);
  const state = () => answerOf<GatewayState>(`http://127.0.0.1:${gatewayPort}`);
  const url = `ws://127.0.0.1:${gatewayPort}/graphql`;
  try {
    await answerOf(control);
    const empty = await state();
    say('the gateway is up');
    await clients.ask({
      do: 'connect',
      wish: { url, question, clients: options.clients, orders: options.orders },
    });
    const idle = await state();
    say(`${options.clients} clients are connected`);
    await clients.ask({ do: 'subscribe' });
    await all(clients, options.clients, 'subscribed');
    const watching = await state();
    const { subscribed } = await answerOf<{ readonly subscribed: number }>(control);
    say(`and subscribed, by ${subscribed} subscriptions to the subgraph`);
    // What a few hear straight from the subgraph meanwhile: whatever is slow for them is not the gateway's doing.
    await direct.ask({
      do: 'connect',
      wish: {
        url: `${origin.replace('http', 'ws')}/orders`,
        question: directQuestion,
        clients: few,
        orders: few,
      },
    });
    await direct.ask({ do: 'subscribe' });
    await all(direct, few, 'subscribed');
    await ring({ orders: options.orders, perSecond: options.events, noteBytes: 80 });
    await pause(2_000);
    await state();
    await pause(500);
    await Promise.all([clients.ask({ do: 'forget' }), direct.ask({ do: 'forget' })]);
    const before = processorOf(gateway.pid);
    await pause(options.seconds * 1_000);
    const processor = processorOf(gateway.pid) - before;
    const told = await clients.ask({ do: 'tell' });
    const { longestTurnMs } = await state();
    const toldDirectly = await direct.ask({ do: 'tell' });
    say(`${told.events} events were heard`);
    await stalled.ask({ do: 'connect', wish: { url, question, clients: 1, orders: 1 } });
    await stalled.ask({ do: 'subscribe' });
    await stalled.ask({ do: 'stall' });
    // The kernel takes some megabytes before anything is held.
    await ring({ orders: 1, perSecond: 1_000, noteBytes: 16 * 1024 });
    await pause(3_000);
    const unread = await state();
    await ring({ orders: 1, perSecond: 0, noteBytes: 0 });
    const perClient = (bytes: number): number => Math.round(bytes / options.clients);
    return {
      clients: options.clients,
      orders: options.orders,
      eventsPerSecond: options.events,
      seconds: options.seconds,
      heard: { ...told, delays: [] },
      upstreams: subscribed,
      delayMs: quantilesOf(told),
      directDelayMs: quantilesOf(toldDirectly),
      addedMs: quantilesOf(told).p99 - quantilesOf(toldDirectly).p50,
      longestTurnMs: { gateway: longestTurnMs, clients: told.longestTurnMs },
      bytesPerIdleClient: perClient(idle.rss - empty.rss),
      bytesPerWatchingClient: perClient(watching.rss - empty.rss),
      heldForOneThatNeverReads: unread.held,
      gatewayCore: processor / options.seconds,
    };
  } finally {
    for (const one of [clients, direct, stalled]) one.stop();
    await Promise.all([gateway.stop(), source.stop()]);
  }
};

type Figures = Awaited<ReturnType<typeof run>>;

const missed = (figures: Figures): string[] => [
  ...(figures.addedMs <= promised.addedMs ? [] : [`${figures.addedMs} ms are added`]),
  ...(figures.upstreams === Math.min(figures.orders, figures.clients)
    ? []
    : ['subscriptions were not shared']),
  ...(figures.heldForOneThatNeverReads <= promised.stalled
    ? []
    : ['a client that never reads costs too much']),
  ...(figures.heard.wrong === 0 ? [] : [`${figures.heard.wrong} events were wrong`]),
  ...(figures.heard.closed === 0 ? [] : [`${figures.heard.closed} clients were lost`]),
];

const told = (figures: Figures): string => {
  const { delayMs, directDelayMs, heard } = figures;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return [
    `${figures.clients} clients on ${figures.orders} orders, ${figures.eventsPerSecond} changes/s for ${figures.seconds} s`,
    `  subscriptions to the subgraph   ${figures.upstreams}`,
    `  events heard                    ${heard.events} (${heard.wrong} wrong, ${heard.closed} clients lost)`,
    `  from change to client           p50 ${ms(delayMs.p50)}, p99 ${ms(delayMs.p99)}, most ${ms(delayMs.most)}`,
    `  straight from the subgraph      p50 ${ms(directDelayMs.p50)}, p99 ${ms(directDelayMs.p99)}`,
    `  added by the gateway, p99       ${ms(figures.addedMs)}`,
    `  longest turn of an event loop   gateway ${ms(figures.longestTurnMs.gateway)}, clients ${ms(figures.longestTurnMs.clients)}`,
    `  memory of an idle client        ${(figures.bytesPerIdleClient / 1024).toFixed(1)} KiB`,
    `  and of one that watches         ${(figures.bytesPerWatchingClient / 1024).toFixed(1)} KiB`,
    `  held for one that never reads   ${(figures.heldForOneThatNeverReads / 1024).toFixed(0)} KiB`,
    `  gateway's core                  ${(figures.gatewayCore * 100).toFixed(0)} % busy`,
    ...missed(figures).map((what) => `  MISSED: ${what}`),
  ].join('\n');
};

/** Ends with 1 where a promise is not kept, 2 where it was asked wrongly. */
export const benchSubscriptions = async (args: readonly string[]): Promise<number> => {
  let options: Options;
  try {
    options = read(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const say = (what: string): void =>
    console.error(`  ${(performance.now() / 1_000).toFixed(1).padStart(6)} s  ${what}`);
  const figures = await run(options, say);
  if (options.json)
    writeFileSync(options.json, `${JSON.stringify({ ...figures, missed: missed(figures) }, null, 2)}\n`);
  console.log(told(figures));
  return missed(figures).length === 0 ? 0 : 1;
};
