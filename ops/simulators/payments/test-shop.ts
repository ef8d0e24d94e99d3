import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { startSimulator } from './simulator.ts';

/** A shop as the provider sees it: the official SDK on one side, a webhook endpoint on the other. */

export const API_KEY = 'sk_test_simulated';
export const SECRET = 'whsec_simulated';

export const stripeAt = (port: number, timeout = 5000): Stripe =>
  new Stripe(API_KEY, {
    host: '127.0.0.1',
    port,
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 0,
    timeout,
  });

export const folder = (): { path: string; remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), 'payments-simulator-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
};

type Heard = { readonly event: Stripe.Event | null; readonly raw: string; readonly signature: string };

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

/** Verifies as a real endpoint does. `answers` are the statuses of the next calls; then 200, or 400 when unsigned. */
export const webhookEndpoint = async () => {
  const heard: Heard[] = [];
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    const raw = await bodyOf(request);
    const signature = String(request.headers['stripe-signature']);
    let event: Stripe.Event | null = null;
    try {
      event = new Stripe(API_KEY).webhooks.constructEvent(raw, signature, SECRET);
    } catch {
      // Counted by the test as an event that could not be verified.
    }
    heard.push({ event, raw, signature });
    response.writeHead(answers.shift() ?? (event ? 200 : 400)).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    heard,
    answers,
    types: () => heard.map(({ event }) => event?.type ?? 'unverified'),
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};

export const until = async (condition: () => boolean, milliseconds = 4000): Promise<void> => {
  const deadline = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

type BookEntry = {
  readonly id: string;
  readonly orderId: string | null;
  readonly status: string;
  readonly amount: number;
  readonly amountReceived: number;
  readonly amountCapturable: number;
  readonly amountRefunded: number;
  readonly revision: number;
  readonly refunds: readonly { readonly amount: number; readonly status: string }[];
};

export const controlAt = (url: string) => {
  const ask = async <Answer>(method: string, path: string, body?: object): Promise<Answer> => {
    const response = await fetch(`${url}/control/${path}`, {
      method,
      ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${response.status}: ${JSON.stringify(answer)}`);
    return answer as Answer;
  };
  return {
    post: <Answer = object>(path: string, body: object = {}) => ask<Answer>('POST', path, body),
    faults: (body: object) => ask<{ faults: object[] }>('POST', 'faults', body),
    book: (since = 0, limit = 500) =>
      ask<{ intents: BookEntry[]; next: number; hasMore: boolean }>(
        'GET',
        `book?since=${since}&limit=${limit}`,
      ),
  };
};

/** A simulator in this process, its book in a folder of its own. */
export const openShop = async (webhookUrl: string | null = null, events: readonly string[] | null = null) => {
  const place = folder();
  const simulator = await startSimulator({
    host: '127.0.0.1',
    port: 0,
    dataFile: join(place.path, 'book.db'),
    durable: false,
    apiKey: API_KEY,
    controlToken: null,
    webhook:
      webhookUrl === null
        ? null
        : {
            url: webhookUrl,
            secret: SECRET,
            timeoutMs: 1000,
            retryMs: 40,
            events: events && new Set(events),
          },
  });
  const stripe = stripeAt(simulator.port);
  const card = async (token: string) => {
    const customer = await stripe.customers.create({ metadata: { userId: 'usr_1' } });
    const method = await stripe.paymentMethods.attach(token, { customer: customer.id });
    return { customer: customer.id, payment_method: method.id };
  };
  return {
    stripe,
    url: simulator.url,
    port: simulator.port,
    control: controlAt(simulator.url),
    card,
    /** An authorization of 25.00 with an attached card, captured later. */
    authorize: async (token = 'pm_card_visa', orderId = 'ord_1', idempotencyKey?: string) =>
      stripe.paymentIntents.create(
        {
          amount: 2500,
          currency: 'gbp',
          capture_method: 'manual',
          confirm: true,
          metadata: { orderId },
          ...(await card(token)),
        },
        idempotencyKey === undefined ? {} : { idempotencyKey },
      ),
    close: async () => {
      await simulator.close();
      place.remove();
    },
  };
};
