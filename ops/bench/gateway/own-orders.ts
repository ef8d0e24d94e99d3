// `npm run bench -- gateway --orders`: a customer's list of 50 orders, with their goods, stock and parcels, through the
// shop's own subgraphs. What it costs our gateway beside @apollo/gateway, in front of the same shop: once as fast as the
// shop goes, where a gateway mostly waits, and once, as in the bench's other rows, with what the subgraphs answered
// remembered, so that a gateway has as many requests as it can take.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { gatewayFlags } from '../../gateway/flags.ts';
import { root } from '../../stack/product.ts';
import { usageOf } from '../usage.ts';
import { reference } from './contenders.ts';
import type { Asked } from './load-messages.ts';
import { exchange, peakMemory } from './measure.ts';
import { buy, openShop, type Place } from './own-shop.ts';
import { canPin, freePort, type Load, type Running, start, startLoad } from './processes.ts';
import { requestText } from './wire.ts';

export type OwnOrdersOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly isQuick: boolean;
  readonly json: string | undefined;
};

const orders = 50;
const connections = 8;
const warmUp = { requests: 8_000, seconds: 30 };
/** times less CPU than the reference */
const promised = 5;

const body = JSON.stringify({
  query: `query OwnOrders {
  me {
    id displayName
    orders(first: ${orders}) {
      totalCount
      edges {
        node {
          id number status placedAt estimatedDelivery
          total { amountMinor currency formatted }
          shippingAddress { recipient city postcode country }
          customer { id displayName }
          lines {
            id sku name quantity
            lineTotal { amountMinor currency formatted }
            variant { id name availability product { id slug name } }
          }
        }
      }
    }
  }
}`,
});

type Contender = { readonly name: string; readonly port: number; readonly running: Running };

const ask = async (
  port: number,
  token: string,
): Promise<{ readonly bytes: number; readonly data: unknown }> => {
  const answer = await exchange(port, requestText(port, body, `Bearer ${token}`));
  if (answer?.status !== 200) throw new Error(`port ${port} answered with ${answer?.status ?? 'nothing'}`);
  const { data, errors } = JSON.parse(answer.body.toString());
  if (errors) throw new Error(`port ${port} answered with errors: ${JSON.stringify(errors).slice(0, 500)}`);
  return { bytes: answer.body.length, data };
};

const pause = (ms: number): Promise<void> => new Promise((later) => setTimeout(later, ms));

const patiently = async <T>(seconds: number, attempt: () => Promise<T>): Promise<T> => {
  for (const end = Date.now() + seconds * 1_000; ; await pause(250))
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
};

/** Until the shop has done with them what it does before the carrier comes. */
const comeToRest = async (port: number, token: string): Promise<void> => {
  let before: unknown;
  let sameFor = 0;
  for (const end = Date.now() + 120_000; sameFor < 5 && Date.now() < end; await pause(1_000)) {
    const { data } = await ask(port, token);
    sameFor = isDeepStrictEqual(data, before) ? sameFor + 1 : 0;
    before = data;
  }
};

/** @param subgraphsUrl where they take their answers from */
const startBoth = async ({ shop, env }: Place, subgraphsUrl: string): Promise<[Contender, Contender]> => {
  const supergraph = join(root, 'gateway/supergraph.graphql');
  const tenant = '01900000-0000-7000-8000-000000000001';
  const [theirs, mine] = [await freePort(), await freePort()];
  const common = { ...env, APOLLO_TELEMETRY_DISABLED: '1' };
  const contenders: [Contender, Contender] = [
    {
      name: reference,
      port: theirs,
      running: start({
        command: [
          fileURLToPath(new URL('contenders/apollo-shop.ts', import.meta.url)),
          ...[supergraph, subgraphsUrl, tenant, String(theirs)],
        ],
        env: common,
        isGateway: true,
      }),
    },
    {
      name: 'ours',
      port: mine,
      running: start({
        command: [...gatewayFlags, join(root, 'gateway/src/main.ts')],
        env: { ...common, HOST: '127.0.0.1', PORT: String(mine), SUBGRAPHS_URL: subgraphsUrl },
        isGateway: true,
      }),
    },
  ];
  // What is measured has a core to itself.
  if (canPin)
    for (const pid of Object.values(shop.pids)) spawnSync('taskset', ['-a', '-cp', '1', String(pid)]);
  return contenders;
};

type Measured = { readonly cpuUs: number; readonly requestsPerSecond: number; readonly errors: number };

let runs = 0;

const measure = async (
  load: Load,
  { name, port, running }: Contender,
  token: string,
  expectedBytes: number,
  limit: Asked['limit'],
): Promise<Measured> => {
  runs += 1;
  const cpuMs = (): number => usageOf({ [name]: running.pid })[name]!.cpuMs;
  const before = cpuMs();
  const heard = await load.ask({
    number: runs,
    port,
    body,
    connections,
    limit,
    expectedBytes,
    tokens: [token],
    isIdentical: false,
  });
  const { requests, errors } = heard;
  return {
    cpuUs: ((cpuMs() - before) * 1_000) / Math.max(1, requests),
    requestsPerSecond: requests / heard.seconds,
    errors,
  };
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

type Compared = {
  /** as they are; or with what they answered remembered */
  readonly subgraphs: 'live' | 'remembered';
  readonly rows: readonly {
    readonly contender: string;
    readonly cpuUs: number;
    readonly requestsPerSecond: number;
    readonly answerBytes: number;
    readonly peakMemoryMb: number | null;
  }[];
  /** times less CPU than the reference */
  readonly ratio: number;
  readonly isEqual: boolean;
  readonly errors: number;
};

const compare = async (
  subgraphs: Compared['subgraphs'],
  both: readonly [Contender, Contender],
  load: Load,
  token: string,
  { rounds, seconds, isQuick }: OwnOrdersOptions,
  say: (what: string) => void,
): Promise<Compared> => {
  for (const { port } of both) await patiently(60, () => ask(port, token));
  await comeToRest(both[1].port, token);
  const replies = await Promise.all(both.map(({ port }) => ask(port, token)));
  const samples = new Map(both.map((one) => [one, [] as Measured[]]));
  for (let round = isQuick ? 0 : -1; round < rounds; round += 1)
    for (const [at, one] of both.entries()) {
      // The first is for warming up.
      const limit = round < 0 ? warmUp : { seconds };
      const measured = await measure(load, one, token, replies[at]!.bytes, limit);
      say(`${subgraphs}, ${one.name}: ${measured.cpuUs.toFixed(0)} us${round < 0 ? ', warming up' : ''}`);
      if (round >= 0) samples.get(one)!.push(measured);
    }
  const cpuUs = (one: Contender): number => median(samples.get(one)!.map((each) => each.cpuUs));
  return {
    subgraphs,
    rows: both.map((one, at) => ({
      contender: one.name,
      cpuUs: cpuUs(one),
      requestsPerSecond: median(samples.get(one)!.map((each) => each.requestsPerSecond)),
      answerBytes: replies[at]!.bytes,
      peakMemoryMb: peakMemory(one.running.pid),
    })),
    ratio: cpuUs(both[0]) / cpuUs(both[1]),
    isEqual: isDeepStrictEqual(replies[0]!.data, replies[1]!.data),
    errors: [...samples.values()].flat().reduce((sum, each) => sum + each.errors, 0),
  };
};

const told = ({ subgraphs, rows, ratio, isEqual, errors }: Compared): string =>
  [
    ...rows.map(
      (row) =>
        `  ${subgraphs.padEnd(10)}  ${row.contender.padEnd(16)} ${row.cpuUs.toFixed(0).padStart(7)} us of CPU a request, ` +
        `${row.requestsPerSecond.toFixed(1)}/s, ${row.answerBytes} B, peak ${row.peakMemoryMb} MiB`,
    ),
    `  ${orders} orders of one's own, subgraphs ${subgraphs}: ${ratio.toFixed(1)} times less CPU than ${reference}` +
      `${subgraphs === 'remembered' ? ` (must ${promised})` : ''}; answers ${isEqual ? 'are equal' : 'DIFFER'}, ${errors} wrong`,
  ].join('\n');

/** Ends with 1 where the promise is not kept. */
export const benchOwnOrders = async (
  options: OwnOrdersOptions,
  say: (what: string) => void,
): Promise<number> => {
  // What was started does not keep us running by itself.
  const awake = setInterval(() => undefined, 60_000);
  let place: Place | null = null;
  const load = startLoad();
  const started: Running[] = [];
  const stopStarted = async (): Promise<void> => {
    await Promise.all(started.splice(0).map(({ stop }) => stop()));
  };
  try {
    place = await openShop(say);
    const token = await buy(place.shop, orders);
    say(`a customer has ${orders} orders`);
    const all: Compared[] = [];
    for (const subgraphs of ['live', 'remembered'] as const) {
      let url = place.subgraphsUrl;
      if (subgraphs === 'remembered') {
        const port = await freePort();
        const file = fileURLToPath(new URL('remembered-subgraphs.ts', import.meta.url));
        started.push(start({ command: [file, String(port), url], isGateway: false }));
        url = `http://127.0.0.1:${port}`;
      }
      const both = await startBoth(place, url);
      started.push(...both.map(({ running }) => running));
      all.push(await compare(subgraphs, both, load, token, options, say));
      await stopStarted();
    }
    const { rounds, seconds, json } = options;
    if (json)
      writeFileSync(json, `${JSON.stringify({ orders, connections, rounds, seconds, all }, null, 2)}\n`);
    console.log(all.map(told).join('\n'));
    const isRight = all.every(({ isEqual, errors }) => isEqual && errors === 0);
    return isRight && all[1]!.ratio >= promised ? 0 : 1;
  } finally {
    await Promise.all([stopStarted(), load.stop()]);
    await place?.close();
    clearInterval(awake);
  }
};
