// A depot for tests: a database of its own and the carrier's simulator as a process of its own, which calls our webhook
// door over HTTP. The jobs run when a test says so.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type ErrorCode, RequestError, statusOf } from '@orderstream/runtime/errors';
import { newId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import type { Envelope, Message } from '@orderstream/runtime/messages';
import type { PostalAddress } from '@orderstream/runtime/postal-address';
import { newTrace } from '@orderstream/runtime/trace';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { PrismaPg } from '@prisma/adapter-pg';
// @boundaries-ignore tests share databases and services
import { testDatabase } from '../../../tests/database.ts';
import { createCalls } from './calls-service.ts';
import { createCarrier } from './carrier.ts';
import { createContext } from './context.ts';
import { createErrands } from './errands-service.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { handlers } from './handlers.ts';
import { CancelShipment, CreateShipment } from './messages.ts';
import { createNews } from './news-service.ts';
import { createWebhooks } from './webhooks.ts';

export const tenantId = '01900000-0000-7000-8000-000000000001';
export const secrets = ['carrier_new_0123456789', 'carrier_old_0123456789'];
export const apiKey = 'carrier_key_0123456789012345678901234567';
const controlToken = 'control_0123456789';
const log = createLog('shipping', 'silent');

export const origin = {
  warehouseId: '01900000-0000-7000-8000-0000000000aa',
  name: 'Daventry',
  latitude: 52.26,
  longitude: -1.16,
};

export const leeds: PostalAddress = {
  recipient: 'Ada Example',
  line1: '1 Mill Street',
  line2: null,
  city: 'Leeds',
  postcode: 'LS1 4DY',
  country: 'GB',
};

const startSimulator = async (webhookUrl: string, dayMs: number) => {
  const folder = await mkdtemp(join(tmpdir(), 'shipping-depot-'));
  const main = new URL('../../../ops/simulators/carrier/main.ts', import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      PORT: '0',
      DATA_FILE: join(folder, 'book.sqlite'),
      DURABLE: '0',
      DAY_MS: String(dayMs),
      CARRIER_API_KEY: apiKey,
      CONTROL_TOKEN: controlToken,
      WEBHOOK_URL: webhookUrl,
      CARRIER_WEBHOOK_SECRET: secrets.join(','),
      WEBHOOK_RETRY_MS: '50',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout!, 'data');
  const url = /http:\S+/.exec(String(line))?.[0];
  if (!url) throw new Error(`the simulator says ${line}`);
  return {
    url,
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
};

type BookEntry = {
  readonly id: string;
  readonly reference: string;
  readonly status: string;
  readonly tracking_number: string;
  readonly forgotten: boolean;
  readonly events: readonly { readonly sequence: number; readonly status: string }[];
};

export type Row = Record<string, unknown> & { readonly id: string; readonly state: string };

export const signatureOf = (body: string, secret = secrets[0]!, at = Math.floor(Date.now() / 1000)): string =>
  `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;

/** @param dayMs of the carrier; without it nothing moves by itself while a test runs */
export const openDepot = async ({ timeoutMs = 1_000, dayMs = 80_000_000 } = {}) => {
  const {
    database,
    url: databaseUrl,
    close,
  } = await testDatabase('shipping', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  });
  const calls = createCalls(database, tenantId, log);
  const { handle } = createWebhooks({ calls, secrets })[0]!;

  /** As the host does it: bytes in, a typed error or the answer out. */
  const door = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    try {
      const body = Buffer.concat(chunks);
      const answer = await handle({ headers: request.headers, body, now: new Date(), log });
      response.writeHead(answer.status).end(JSON.stringify(answer.body));
    } catch (error) {
      const code: ErrorCode = error instanceof RequestError ? error.code : 'INTERNAL';
      response.writeHead(statusOf(code)).end(JSON.stringify({ code }));
    }
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const doorUrl = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  const simulator = await startSimulator(doorUrl, dayMs);
  const carrier = createCarrier({ apiKey, url: simulator.url, timeoutMs });
  /** What orders say where it is not Leeds. */
  const addresses = new Map<string, () => Promise<PostalAddress | null>>();
  const desk = () => ({
    errands: createErrands({
      database,
      carrier,
      timeoutMs,
      addressOf: async (_tenant, orderId) => (addresses.has(orderId) ? addresses.get(orderId)!() : leeds),
    }),
    news: createNews({ database, carrier, timeoutMs }),
  });
  const { errands, news } = desk();
  const context = createContext({ database });
  const ctx = () => ({ now: new Date(), log });

  const as = (userId: string | null, ...scopes: string[]) => {
    const viewer: Viewer = { ...anonymous(tenantId), userId, scopes: new Set(scopes) };
    return context({ viewer, now: new Date(), log, trace: newTrace() });
  };

  const envelopeOf = ({ type, v, key, version, data }: Message, id: string): Envelope<never> => {
    const { traceparent } = newTrace();
    const occurredAt = new Date().toISOString();
    const heard = { id, type, v, key, version, data, tenantId, traceparent, occurredAt, causationId: null };
    return heard as Envelope<never>;
  };

  /** As the consumer does it with a batch for one handler; the same messages may be heard again. */
  const hearTogether = (messages: readonly Message[], id = newId()): Promise<void> =>
    database.transaction(async (begin) => {
      const handler = handlers.find((one) => one.message.type === messages[0]?.type)!;
      const heard = messages.map((one) => {
        const message = envelopeOf(one, id);
        const { traceparent } = message;
        return { tx: begin({ tenantId, traceparent, causationId: id }), message };
      });
      await handler.handle(heard, ctx());
    });

  const hear = (message: Message, id = newId()): Promise<void> => hearTogether([message], id);

  const work = async (of = { errands, news }): Promise<number> => {
    const did = await Promise.all([of.errands.fulfilWishes(ctx()), of.news.readEvents(ctx())]);
    await Promise.all([of.errands.idle(), of.news.idle()]);
    return did[0] + did[1];
  };

  /** Lets the jobs run until it is so. */
  const until = async (isSo: () => Promise<boolean>, ms = 15_000): Promise<void> => {
    for (const end = Date.now() + ms; !(await isSo()); ) {
      if (Date.now() > end) throw new Error('waited in vain');
      if ((await work()) === 0) await pause(15);
    }
  };

  const shipment = async (orderId: string): Promise<Row> => {
    const [row] = await database.sql<Row>`select * from shipment where order_id = ${orderId}`;
    if (!row) throw new Error(`order ${orderId} has no shipment`);
    return row;
  };

  /** What the other subgraphs were told about an order, in order. */
  const told = async (orderId: string): Promise<Envelope<Record<string, unknown>>[]> => {
    const rows = await database.sql<{ message: Envelope<Record<string, unknown>> }>`
      select message from plumbing.outbox where key = ${orderId} order by id`;
    return rows.map((row) => row.message);
  };

  const control = async <T>(path: string, body?: object): Promise<T> => {
    const response = await fetch(`${simulator.url}/control/${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${controlToken}` },
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as T;
  };

  const untilState = (orderId: string, ...states: string[]) =>
    until(async () => states.includes((await shipment(orderId)).state));

  const create = async (
    customerId: string | null = newId(),
    orderId = newId(),
    parcel?: number,
  ): Promise<string> => {
    await hear(CreateShipment({ orderId, customerId, origin, pieces: 2, parcel }));
    return orderId;
  };

  return {
    database,
    databaseUrl,
    doorUrl,
    carrierUrl: simulator.url,
    carrier,
    addresses,
    desk,
    as,
    calls,
    hear,
    hearTogether,
    work,
    until,
    untilState,
    shipment,
    told,
    types: async (orderId: string) => (await told(orderId)).map(({ type }) => type),
    sweep: async () => {
      await errands.sweep(ctx());
      await errands.idle();
    },
    forgetAddresses: () => errands.forgetAddresses(ctx()),
    control,
    faults: (switches: object) => control('faults', switches),
    /** The carrier's own book about an order. */
    book: async (orderId: string): Promise<BookEntry | undefined> => {
      const { id } = await shipment(orderId);
      const { shipments } = await control<{ shipments: BookEntry[] }>('book?limit=1000');
      return shipments.find(({ reference }) => reference === id);
    },
    create,
    cancel: (orderId: string) => hear(CancelShipment({ orderId })),
    /** A parcel with a label; answers the order's id. */
    labelled: async (customerId: string | null = newId()): Promise<string> => {
      const orderId = await create(customerId);
      await untilState(orderId, 'LABELLED');
      return orderId;
    },
    /** As the carrier calls; answers the status. */
    post: async (body: string, signature?: string): Promise<number> => {
      const headers = signature === undefined ? undefined : { 'carrier-signature': signature };
      const response = await fetch(doorUrl, { method: 'POST', body, headers });
      await response.text();
      return response.status;
    },
    close: async () => {
      await Promise.all([errands.idle(), news.idle()]);
      await simulator.stop();
      door.closeAllConnections();
      door.close();
      await close();
    },
  };
};

export type Depot = Awaited<ReturnType<typeof openDepot>>;
