// `npm run bench -- gateway --orders`: a customer's list of 50 orders, with their goods, stock and parcels, through the
// shop's own subgraphs. What it costs our gateway beside @apollo/gateway, in front of the same shop.
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { encodeId } from '@orderstream/runtime/ids';
import pg from 'pg';
import { gatewayFlags } from '../../gateway/flags.ts';
import { accepted, connect } from '../../operations/client.ts';
import {
  AddPaymentMethodDocument,
  RegisterDocument,
  SaveAddressDocument,
} from '../../operations/generated/graphql.ts';
import { removeData } from '../../stack/place.ts';
import { root, startProduct } from '../../stack/product.ts';
import { startServices } from '../../stack/services.ts';
import { type Good, plan } from '../arrivals.ts';
import { type Customer, order } from '../customer.ts';
import { runningShop, type Shop } from '../shop.ts';
import { usageOf } from '../usage.ts';
import { reference } from './contenders.ts';
import type { Asked } from './load-messages.ts';
import { exchange, peakMemory } from './measure.ts';
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
/** The shop itself takes longer than either gateway, so many requests take their time. */
const warmUp = { requests: 500, seconds: 60 };
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

/** Counted as always, and more than anybody asks here: one customer stands for many. */
const rules = [
  { by: 'address', counts: 'requests', limit: 1_000_000, window: '1m' },
  { by: 'user', counts: 'requests', limit: 1_000_000, window: '1m' },
];

type Contender = { readonly name: string; readonly port: number; readonly running: Running };

type Place = {
  readonly shop: Shop;
  readonly subgraphsUrl: string;
  readonly env: NodeJS.ProcessEnv;
  readonly close: () => Promise<void>;
};

/** A shop of our own, whose carrier fetches nothing while it is measured: orders stay as they are. */
const openShop = async (say: (what: string) => void): Promise<Place> => {
  const dir = mkdtempSync(join(tmpdir(), 'orderstream-bench-'));
  const closers: (() => Promise<void>)[] = [async () => removeData(dir)];
  const close = async (): Promise<void> => {
    while (closers.length > 0) await closers.pop()!();
  };
  try {
    // Without the mark of generated ones, so that our gateway runs as it does in production.
    const own = { GATEWAY_SECRET: randomBytes(24).toString('hex'), CARRIER_DAY_MS: '3600000' };
    const report = (): void => undefined;
    const services = await startServices({ dir, env: process.env, durable: false, report });
    closers.push(services.stop);
    const product = await startProduct({
      dir,
      services,
      env: { ...process.env, ...own },
      port: null,
      split: false,
      durable: false,
      report,
    });
    closers.push(product.stop);
    say('the shop runs');
    const { url } = product.processes.find(({ name }) => name === 'subgraphs')!;
    const config = join(dir, 'gateway.json');
    writeFileSync(config, JSON.stringify({ rates: { rules } }));
    const env = { ...own, REDIS_URL: services.redisUrl, GATEWAY_CONFIG: config };
    return { shop: runningShop(dir), subgraphsUrl: url, env, close };
  } catch (error) {
    await close();
    throw error;
  }
};

const goodsOf = async ({ databases }: Shop): Promise<Good[]> => {
  const client = new pg.Client(databases.inventory);
  await client.connect();
  try {
    const { rows } = await client.query<Good>(
      `select variant_id as variant, available from variant_level join catalog_variant using (variant_id)
       where active and available >= 50 order by sku limit 200`,
    );
    return rows.map(({ variant, available }) => ({ variant: encodeId('variant', variant), available }));
  } finally {
    await client.end();
  }
};

/** Answers the access token of a customer who has that many orders. */
const buy = async (shop: Shop): Promise<string> => {
  const where = { url: shop.graphql, subscriptionsUrl: shop.subscriptions };
  const { register } = await connect(where).send(RegisterDocument, {
    input: {
      email: `bench-${randomUUID()}@example.com`,
      password: randomUUID(),
      displayName: 'Ada Brook',
    },
  });
  const { accessToken: token } = accepted(register, 'SessionStarted');
  const client = connect({ ...where, token });
  const address = {
    recipient: 'Ada Brook',
    line1: '1 Mill Lane',
    city: 'York',
    postcode: 'YO1 7HH',
    country: 'GB',
  };
  accepted((await client.send(SaveAddressDocument, { input: { address } })).saveAddress, 'AddressSaved');
  const { addPaymentMethod } = await client.send(AddPaymentMethodDocument, {
    input: { providerToken: 'pm_card_visa' },
  });
  const paymentMethodId = accepted(addPaymentMethod, 'PaymentMethodAdded').method.id;
  const customer: Customer = { client, address, paymentMethodId };
  const demand = { orders, customers: 1, rate: 1, seed: 1 };
  for (const arrival of plan(demand, await goodsOf(shop))) await order(customer, arrival);
  return token;
};

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

const startAll = async ({ shop, subgraphsUrl, env }: Place): Promise<Contender[]> => {
  const supergraph = join(root, 'gateway/supergraph.graphql');
  const tenant = '01900000-0000-7000-8000-000000000001';
  const [theirs, mine] = [await freePort(), await freePort()];
  const common = { ...env, APOLLO_TELEMETRY_DISABLED: '1' };
  const contenders = [
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

/** Ends with 1 where the promise is not kept. */
export const benchOwnOrders = async (
  { rounds, seconds, isQuick, json }: OwnOrdersOptions,
  say: (what: string) => void,
): Promise<number> => {
  // What was started does not keep us running by itself.
  const awake = setInterval(() => undefined, 60_000);
  let place: Place | null = null;
  const load = startLoad();
  const started: Contender[] = [];
  try {
    place = await openShop(say);
    const token = await buy(place.shop);
    say(`a customer has ${orders} orders`);
    started.push(...(await startAll(place)));
    const [theirs, mine] = started as [Contender, Contender];
    for (const { port } of started) await patiently(60, () => ask(port, token));
    await comeToRest(mine.port, token);
    const replies = await Promise.all(started.map(({ port }) => ask(port, token)));
    const isEqual = isDeepStrictEqual(replies[0]!.data, replies[1]!.data);
    const samples = new Map(started.map((one) => [one, [] as Measured[]]));
    for (let round = isQuick ? 0 : -1; round < rounds; round += 1)
      for (const [at, one] of started.entries()) {
        // The first is for warming up.
        const limit = round < 0 ? warmUp : { seconds };
        const measured = await measure(load, one, token, replies[at]!.bytes, limit);
        say(`${one.name}: ${measured.cpuUs.toFixed(0)} us${round < 0 ? ', warming up' : ''}`);
        if (round >= 0) samples.get(one)!.push(measured);
      }
    const cpuUs = (one: Contender): number => median(samples.get(one)!.map((each) => each.cpuUs));
    const ratio = cpuUs(theirs) / cpuUs(mine);
    const errors = [...samples.values()].flat().reduce((sum, each) => sum + each.errors, 0);
    const rows = started.map((one, at) => ({
      contender: one.name,
      cpuUs: cpuUs(one),
      requestsPerSecond: median(samples.get(one)!.map((each) => each.requestsPerSecond)),
      answerBytes: replies[at]!.bytes,
      peakMemoryMb: peakMemory(one.running.pid),
    }));
    const report = { orders, connections, rounds, seconds, rows, ratio, isEqual, errors };
    if (json) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
    for (const row of rows)
      console.log(
        `  ${row.contender.padEnd(16)} ${row.cpuUs.toFixed(0).padStart(7)} us of CPU a request, ` +
          `${row.requestsPerSecond.toFixed(1)}/s, ${row.answerBytes} B, peak ${row.peakMemoryMb} MiB`,
      );
    console.log(
      `  ${orders} orders of one's own: ${ratio.toFixed(1)} times less CPU than ${reference} (must ${promised}); ` +
        `answers ${isEqual ? 'are equal' : 'DIFFER'}, ${errors} wrong`,
    );
    return ratio >= promised && isEqual && errors === 0 ? 0 : 1;
  } finally {
    await Promise.all([...started.map(({ running }) => running.stop()), load.stop()]);
    await place?.close();
    clearInterval(awake);
  }
};
