// A shop for `npm run bench -- gateway --orders`: everything that runs in production, and a customer with many orders.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeId } from '@orderstream/runtime/ids';
import pg from 'pg';
import { accepted, connect } from '../../operations/client.ts';
import {
  AddPaymentMethodDocument,
  RegisterDocument,
  SaveAddressDocument,
} from '../../operations/generated/graphql.ts';
import { removeData } from '../../stack/place.ts';
import { startProduct } from '../../stack/product.ts';
import { startServices } from '../../stack/services.ts';
import { type Good, plan } from '../arrivals.ts';
import { type Customer, order } from '../customer.ts';
import { runningShop, type Shop } from '../shop.ts';

/** Counted as always, and more than anybody asks here: one customer stands for many. */
const rules = [
  { by: 'address', counts: 'requests', limit: 1_000_000, window: '1m' },
  { by: 'user', counts: 'requests', limit: 1_000_000, window: '1m' },
];

export type Place = {
  readonly shop: Shop;
  readonly subgraphsUrl: string;
  readonly env: NodeJS.ProcessEnv;
  readonly close: () => Promise<void>;
};

/** A shop of our own, whose carrier fetches nothing while it is measured: orders stay as they are. */
export const openShop = async (say: (what: string) => void): Promise<Place> => {
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
export const buy = async (shop: Shop, orders: number): Promise<string> => {
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
