import { createHmac, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Status } from './route.ts';
import { startSimulator } from './simulator.ts';

/** A shop as the carrier sees it: a caller on one side, a webhook endpoint on the other. */

export const API_KEY = 'key_simulated';
export const SECRET = 'whsec_simulated';

export type TrackingEvent = {
  readonly sequence: number;
  readonly status: Status;
  readonly at: string;
  readonly place: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly description: string;
};

export type Shipment = {
  readonly id: string;
  readonly reference: string;
  readonly tracking_number: string;
  readonly carrier: string;
  readonly status: Status;
  readonly created_at: string;
  readonly estimated_delivery: string;
  readonly last_sequence: number;
  readonly events: readonly TrackingEvent[];
};

type Told = {
  readonly id: string;
  readonly type: string;
  readonly shipment: Pick<Shipment, 'id' | 'reference' | 'status' | 'tracking_number' | 'estimated_delivery'>;
  readonly event: TrackingEvent;
};

type Answer<Body> = { readonly status: number; readonly isReplay: boolean; readonly body: Body };
type Failure = { readonly error: { readonly code: string; readonly message: string } };

export const folder = (): { path: string; remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), 'carrier-simulator-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
};

const TOLERANCE = 300;

/** What any receiver has to check: the MAC over time and raw body, and that the time is near. */
const isGenuine = (header: string, raw: string): boolean => {
  const [, time = '', mac = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (mac === '' || Math.abs(Date.now() / 1000 - Number(time)) > TOLERANCE) return false;
  const expected = createHmac('sha256', SECRET).update(`${time}.${raw}`).digest();
  return timingSafeEqual(expected, Buffer.from(mac, 'hex'));
};

type Heard = { readonly told: Told; readonly isGenuine: boolean; readonly raw: string };

/** `answers` are the statuses of the next calls; then 200, or 401 when the signature does not hold. */
export const webhookEndpoint = async () => {
  const heard: Heard[] = [];
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    const raw = await text(request);
    const genuine = isGenuine(String(request.headers['carrier-signature']), raw);
    heard.push({ told: JSON.parse(raw) as Told, isGenuine: genuine, raw });
    response.writeHead(answers.shift() ?? (genuine ? 200 : 401)).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    heard,
    answers,
    statuses: () => heard.map(({ told }) => told.event.status),
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};

export const until = async (
  condition: () => boolean | Promise<boolean>,
  milliseconds = 10_000,
): Promise<void> => {
  const deadline = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
};

export const daventry = { name: 'Daventry', latitude: 52.2736, longitude: -1.1707 };

export const label = (reference: string, postcode = 'EH1 1AA', country = 'GB') => ({
  reference,
  origin: daventry,
  destination: {
    recipient: 'Ada Example',
    line1: '1 Nowhere Street',
    line2: null,
    city: 'Edinburgh',
    postcode,
    country,
  },
  pieces: 2,
});

export const senderAt = (url: string) => {
  const ask = async <Body>(
    method: string,
    path: string,
    body?: unknown,
    headers = {},
  ): Promise<Answer<Body>> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    return {
      status: response.status,
      isReplay: response.headers.get('idempotent-replayed') === 'true',
      body: (await response.json()) as Body,
    };
  };
  const control = async <Body = Shipment>(path: string, body: object = {}): Promise<Body> => {
    const answer = await ask<Body>('POST', `/control/${path}`, body);
    if (answer.status !== 200) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const send = (request: object, key: string) =>
    ask<Shipment & Failure>('POST', '/v1/shipments', request, { 'idempotency-key': key });
  const shipment = async (id: string) => (await ask<Shipment>('GET', `/v1/shipments/${id}`)).body;
  return {
    ask,
    control,
    send,
    shipment,
    faults: (body: object) => control<{ faults: object[] }>('faults', body),
    /** A label that must succeed; the reference is its key. */
    labelled: async (reference: string, request: object = label(reference)): Promise<Shipment> => {
      const { status, body } = await send(request, reference);
      if (status !== 201) throw new Error(JSON.stringify(body));
      return body;
    },
    cancel: (id: string) => ask<Shipment & Failure>('POST', `/v1/shipments/${id}/cancel`),
    /** Waits for a state and answers the parcel as it is then. */
    when: async (id: string, ...statuses: Status[]): Promise<Shipment> => {
      await until(async () => statuses.includes((await shipment(id)).status));
      return shipment(id);
    },
  };
};

/** In milliseconds. A day in which a parcel stays where it is for as long as a test lasts. */
export const LONG_DAY = 3_600_000;

/** A simulator in this process, its book in a folder of its own. */
export const openCarrier = async (dayMs: number, webhookUrl: string | null = null) => {
  const place = folder();
  const simulator = await startSimulator({
    host: '127.0.0.1',
    port: 0,
    dataFile: join(place.path, 'book.db'),
    durable: false,
    apiKey: API_KEY,
    controlToken: null,
    dayMs,
    webhook: webhookUrl === null ? null : { url: webhookUrl, secret: SECRET, timeoutMs: 1000, retryMs: 40 },
  });
  return {
    ...senderAt(simulator.url),
    url: simulator.url,
    dataFile: join(place.path, 'book.db'),
    close: async () => {
      await simulator.close();
      place.remove();
    },
  };
};
