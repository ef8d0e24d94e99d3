import { createHmac } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { Book } from './book.ts';
import type { Faults } from './faults.ts';

export type Endpoint = {
  readonly url: string;
  readonly secret: string;
  /** Milliseconds an attempt may take. */
  readonly timeoutMs: number;
  /** The first pause before another attempt, in milliseconds; it doubles up to a minute. */
  readonly retryMs: number;
  /** The types of events it is subscribed to; null for all, as at Stripe for an endpoint that says `*`. */
  readonly events: ReadonlySet<string> | null;
};

const PARALLEL = 8;
const LONGEST_PAUSE = 60_000;
const GIVES_UP_AFTER = 3 * 24 * 60 * 60 * 1000;

type Due = { readonly seq: number; readonly payment_intent: string; readonly due_at: number };

type Delivery = {
  readonly seq: number;
  readonly attempts: number;
  readonly promised_at: number;
  readonly order_id: string | null;
  readonly body: string;
};

/** Stripe's scheme: HMAC-SHA256 of `<time>.<body>`, the time in seconds. */
const signatureOf = (body: string, secret: string, time: number): string =>
  `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`;

type Disguise = { readonly badSignature: boolean; readonly ageSeconds: number };

/** Connections stay open between deliveries. Not `fetch`, which costs a multiple of the rest of a delivery. */
const agents = {
  'http:': new http.Agent({ keepAlive: true }),
  'https:': new https.Agent({ keepAlive: true }),
};

/** One attempt. Answers the HTTP status, or 0 when there was none. Never throws. */
const post = (
  { url, secret, timeoutMs }: Endpoint,
  body: string,
  { badSignature, ageSeconds }: Disguise,
  stopped: AbortSignal,
): Promise<number> =>
  new Promise((answered) => {
    if (stopped.aborted) return answered(0);
    const target = new URL(url);
    const time = Math.floor(Date.now() / 1000) - ageSeconds;
    const { request } = target.protocol === 'https:' ? https : http;
    const calling = request(
      target,
      {
        method: 'POST',
        agent: agents[target.protocol as keyof typeof agents],
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'content-length': Buffer.byteLength(body),
          'stripe-signature': signatureOf(body, badSignature ? `not-${secret}` : secret, time),
          'user-agent': 'Stripe/1.0 (simulator)',
        },
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.once('end', () => end(statusCode)).once('error', () => end(statusCode));
        response.resume();
      },
    );
    const giveUp = (): void => void calling.destroy(new Error('nobody waits for an answer any more'));
    const late = setTimeout(giveUp, timeoutMs);
    const end = (status: number): void => {
      clearTimeout(late);
      stopped.removeEventListener('abort', giveUp);
      answered(status);
    };
    stopped.addEventListener('abort', giveUp);
    calling.once('close', () => end(0)).on('error', () => end(0));
    calling.end(body);
  });

export type Courier = {
  /** Looks for due deliveries now. */
  readonly wake: () => void;
  /** Delivers an event once more, apart from the queue; answers the HTTP status of each copy, sent together. */
  readonly deliver: (body: string, times: number, disguise: Disguise) => Promise<number[]>;
  readonly close: () => Promise<void>;
};

/**
 * Works off the promised deliveries until each met a 2xx. The queue is the book, so a restart goes on where it was.
 * Two events of one payment are never under way together, so order is lost only where a switch or a retry loses it.
 */
export const startCourier = (book: Book, faults: Faults, endpoint: Endpoint | null): Courier => {
  const busy = new Map<string, Promise<void>>();
  const closing = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  const settle = (delivery: Delivery, status: number): void => {
    const now = Date.now();
    const attempts = delivery.attempts + 1;
    const delivered = status >= 200 && status < 300;
    const wait = Math.min(LONGEST_PAUSE, (endpoint?.retryMs ?? 0) * 2 ** Math.min(attempts - 1, 20));
    const next = delivered || now - delivery.promised_at > GIVES_UP_AFTER ? null : now + wait;
    book.run(
      'update delivery set due_at = ?, swapped = 0, attempts = ?, last_status = ?, delivered_at = ? where seq = ?',
      next,
      attempts,
      status,
      delivered ? now : null,
      delivery.seq,
    );
  };

  const attempt = async (target: Endpoint, seq: number): Promise<void> => {
    const delivery = book.get<Delivery>(
      `select d.seq, d.attempts, d.promised_at, e.order_id, e.body
       from delivery as d join event as e on e.seq = d.event where d.seq = ?`,
      seq,
    );
    if (!delivery) return;
    const occasion = { orderId: delivery.order_id };
    const disguise = {
      badSignature: faults.take('webhooks.badSignature', occasion) !== undefined,
      ageSeconds: faults.take('webhooks.oldTimestamp', occasion)?.value ?? 0,
    };
    const status = await post(target, delivery.body, disguise, closing.signal);
    // Stopped in the middle: nothing is known, so it stays due and the next start sends it again.
    if (!closing.signal.aborted) settle(delivery, status);
  };

  const pump = (): void => {
    clearTimeout(timer);
    if (closing.signal.aborted || endpoint === null) return;
    const open = book.all<Due>(
      `select seq, payment_intent, due_at from delivery
       where due_at is not null and held = 0 order by due_at, seq limit 200`,
    );
    const now = Date.now();
    for (const { seq, payment_intent, due_at } of open) {
      if (due_at > now || busy.size >= PARALLEL) break;
      if (busy.has(payment_intent)) continue;
      const work = attempt(endpoint, seq)
        .catch(async (error: unknown) => {
          console.error('a webhook could not be written down; trying again', error);
          await pause(1000);
        })
        .finally(() => {
          busy.delete(payment_intent);
          pump();
        });
      busy.set(payment_intent, work);
    }
    const later = open.find(({ due_at }) => due_at > now);
    if (later) timer = setTimeout(pump, later.due_at - now);
  };

  pump();
  return {
    wake: () => setImmediate(pump),
    deliver: async (body, times, disguise) =>
      endpoint === null
        ? []
        : Promise.all(Array.from({ length: times }, () => post(endpoint, body, disguise, closing.signal))),
    close: async () => {
      closing.abort();
      clearTimeout(timer);
      await Promise.all(busy.values());
    },
  };
};
