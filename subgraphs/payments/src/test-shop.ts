// A till for tests: a database of its own and the provider's simulator as a process of its own, which calls our webhook
// door over HTTP. The jobs run when a test says so.
import { type ChildProcess, spawn } from 'node:child_process';
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
import { newTrace } from '@orderstream/runtime/trace';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { PrismaPg } from '@prisma/adapter-pg';
// @boundaries-ignore tests share databases and services
import { testDatabase } from '../../../tests/database.ts';
import { createContext } from './context.ts';
import { createErrands } from './errands-service.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { handlers } from './handlers.ts';
import { AuthorizePayment, CapturePayment, RefundPayment, VoidPayment } from './messages.ts';
import { createNews } from './news-service.ts';
import { addPaymentMethod } from './payment-method-service.ts';
import { createProvider } from './provider.ts';
import { createWebhooks } from './webhooks.ts';

export const tenantId = '01900000-0000-7000-8000-000000000001';
export const secrets = ['whsec_new_0123456789', 'whsec_old_0123456789'];
const apiKey = 'sk_test_0123456789012345678901234567';
const log = createLog('payments', 'silent');

const startSimulator = async (webhookUrl: string) => {
  const folder = await mkdtemp(join(tmpdir(), 'payments-till-'));
  const main = new URL('../../../ops/simulators/payments/main.ts', import.meta.url).pathname;
  const child: ChildProcess = spawn(process.execPath, [main], {
    env: {
      ...process.env,
      PORT: '0',
      DATA_FILE: join(folder, 'book.sqlite'),
      DURABLE: '0',
      STRIPE_API_KEY: apiKey,
      WEBHOOK_URL: webhookUrl,
      WEBHOOK_SECRET: secrets[0],
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

export type BookEntry = {
  readonly id: string;
  readonly orderId: string | null;
  readonly status: string;
  readonly amountReceived: number;
  readonly amountCapturable: number;
  readonly amountRefunded: number;
  readonly refunds: readonly { readonly amount: number; readonly status: string }[];
};

type Row = Record<string, unknown> & { readonly id: string; readonly state: string };

export const openShop = async ({ timeoutMs = 1_000 } = {}) => {
  const {
    database,
    url: databaseUrl,
    close,
  } = await testDatabase('payments', {
    prisma: (pool) => new PrismaClient({ adapter: new PrismaPg(pool) }),
  });
  const [webhook] = createWebhooks({ database, secrets, tenantId });
  const { handle } = webhook!;

  /** As the host does it: bytes in, a typed error or the answer out. */
  const door = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    try {
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
  const simulator = await startSimulator(doorUrl);
  const provider = createProvider({ apiKey, url: simulator.url, timeoutMs });
  const till = () => ({
    errands: createErrands({ database, provider, timeoutMs }),
    news: createNews({ database, provider, timeoutMs }),
  });
  const { errands, news } = till();
  const context = createContext({ database });

  const as = (userId: string | null, ...scopes: string[]) => {
    const viewer: Viewer = { ...anonymous(tenantId), userId, scopes: new Set(scopes) };
    return context({ viewer, now: new Date(), log, trace: newTrace() });
  };

  /** As the consumer does it; the same message may be heard again. */
  const hear = (message: Message, id = newId()): Promise<void> => {
    const now = new Date();
    const { type, v, key, version, data } = message;
    const { traceparent } = newTrace();
    const heard = { id, type, v, key, version, data, tenantId, traceparent };
    const handler = handlers.find((one) => one.message.type === type)!;
    return database.transaction(async (begin) => {
      const tx = begin({ tenantId, traceparent, causationId: id });
      const envelope: Envelope = { ...heard, occurredAt: now.toISOString(), causationId: null };
      await handler.handle([{ tx, message: envelope as Envelope<never> }], { now, log });
    });
  };

  const work = async (of = { errands, news }): Promise<number> => {
    const ctx = { now: new Date(), log };
    const did = await Promise.all([
      of.errands.settlePayments(ctx),
      of.errands.settleRefunds(ctx),
      of.news.readEvents(ctx),
    ]);
    await Promise.all([of.errands.idle(), of.news.idle()]);
    return did.reduce((a, b) => a + b, 0);
  };

  /** Lets the jobs run until it is so. */
  const until = async (isSo: () => Promise<boolean>, ms = 6_000): Promise<void> => {
    for (const end = Date.now() + ms; !(await isSo()); ) {
      if (Date.now() > end) throw new Error('waited in vain');
      if ((await work()) === 0) await pause(15);
    }
  };

  const payment = async (orderId: string): Promise<Row> => {
    const [row] = await database.sql<Row>`select * from payment where order_id = ${orderId}`;
    if (!row) throw new Error(`order ${orderId} has no payment`);
    return row;
  };

  /** What the other subgraphs were told about an order, in order. */
  const told = async (orderId: string): Promise<{ type: string; data: Record<string, unknown> }[]> => {
    const rows = await database.sql<{ message: { type: string; data: Record<string, unknown> } }>`
      select message from plumbing.outbox where key = ${orderId} order by id`;
    return rows.map((row) => row.message);
  };

  const control = async <T>(path: string, body?: object): Promise<T> => {
    const response = await fetch(`${simulator.url}/control/${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json' },
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as T;
  };

  return {
    database,
    provider,
    doorUrl,
    simulatorUrl: simulator.url,
    apiKey,
    databaseUrl,
    till,
    as,
    hear,
    work,
    reconcile: () => errands.reconcile({ now: new Date(), log }),
    forgetMethods: () => errands.forgetMethods({ now: new Date(), log }),
    until,
    payment,
    told,
    control,
    types: async (orderId: string) => (await told(orderId)).map(({ type }) => type),
    untilState: (orderId: string, ...states: string[]) =>
      until(async () => states.includes((await payment(orderId)).state)),
    events: async (orderId: string) =>
      (
        await database.sql<{ type: string }>`
          select e.type from payment_event e join payment p on p.id = e.payment_id
          where p.order_id = ${orderId} order by e.version`
      ).map(({ type }) => type),
    /** The provider's own book about an order. */
    book: async (orderId: string): Promise<BookEntry[]> =>
      (await control<{ intents: BookEntry[] }>('book?limit=1000')).intents.filter(
        (intent) => intent.orderId === orderId,
      ),
    faults: (switches: object) => control('faults', switches),
    /** A customer with a payment method on file. */
    buyer: async (token = 'pm_card_visa') => {
      const customerId = newId();
      const added = await addPaymentMethod(as(customerId), provider, token);
      if ('error' in added) throw new Error(added.error);
      return { tenantId, customerId, paymentMethodId: added.id };
    },
    /** Answers the order's id. */
    authorize: async (buyer: { customerId: string; paymentMethodId: string }, orderId = newId()) => {
      const { customerId, paymentMethodId } = buyer;
      await hear(
        AuthorizePayment({ orderId, customerId, paymentMethodId, amountMinor: 4_995, currency: 'GBP' }),
      );
      return orderId;
    },
    capture: (orderId: string) => hear(CapturePayment({ orderId })),
    void: (orderId: string) => hear(VoidPayment({ orderId })),
    refund: (orderId: string) => hear(RefundPayment({ orderId, reason: 'cancelled' })),
    close: async () => {
      await Promise.all([errands.idle(), news.idle()]);
      await simulator.stop();
      door.closeAllConnections();
      door.close();
      await close();
    },
  };
};

export type Shop = Awaited<ReturnType<typeof openShop>>;
