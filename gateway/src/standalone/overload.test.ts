// More to do than can be done: who is sent away, through the gateway.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Library, openLibrary } from './fixture-library.ts';

/** Loans of books, told at once or only when they are let go. */
const openLoans = async () => {
  const held: (() => void)[] = [];
  let isHolding = false;
  const answer = (response: ServerResponse, body: string): void => {
    const { variables } = JSON.parse(body) as { variables?: { representations?: unknown[] } };
    const data = variables?.representations
      ? { _entities: variables.representations.map(() => ({ __typename: 'Book', isLent: true })) }
      : { loans: 1 };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (isHolding) held.push(() => answer(response, body));
    else answer(response, body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    hold: () => {
      isHolding = true;
    },
    held: () => held.length,
    letGo: () => {
      isHolding = false;
      for (const answerNow of held.splice(0)) answerNow();
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

let library: Library;
let loans: Awaited<ReturnType<typeof openLoans>>;
type Gateway = Awaited<ReturnType<Library['gateway']>>;
let gateway: Gateway;

const open = async (settings: string): Promise<Gateway> => {
  const opened = await library.gateway(`
subgraphs: { all: { timeout: 60s }, named: { loans: { url: "${loans.url}" } } }
limits: { deadline: 60s, planning: 30s }
cache: { sharing: false }
shedding:
  classes: [{ name: extras, fields: [hello] }, { name: others }, { name: lending, fields: [book, retitle] }]
  ${settings}
`);
  for (const query of Object.values(asks)) expect((await opened.ask({ query })).status).toBe(200);
  return opened;
};

beforeAll(async () => {
  [library, loans] = await Promise.all([openLibrary(), openLoans()]);
  gateway = await open('inFlight: 8');
});
afterAll(async () => {
  loans.letGo();
  await library.close();
  loans.close();
});

const asks = {
  extra: '{ hello }',
  other: '{ books { title } }',
  lending: '{ book(id: 1) { title } }',
  slow: '{ loans }',
  slowLending: '{ book(id: 1) { isLent } }',
} as const;

const ask = async (query: string, of = gateway): Promise<string> => {
  const { status, headers, body } = await of.ask({ query });
  if (status === 200) return 'served';
  expect(body.errors[0].extensions).toMatchObject({ code: 'OVERLOADED', retryable: true });
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(status).toBe(503);
  return 'sent away';
};

const figure = async (name: string, of = gateway): Promise<number> => {
  const page = await (await fetch(new URL('/metrics', of.url))).text();
  return Number(
    page
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')
      .at(-1),
  );
};
const inFlight = (count: number) =>
  vi.waitFor(async () => expect(await figure('gateway_requests_in_flight')).toBe(count), { timeout: 15_000 });

test('the fuller the gateway is, the more is sent away, what matters least first', async () => {
  loans.hold();
  const waiting: Promise<string>[] = [];
  const hold = async (query: string, upTo: number) => {
    while (waiting.length < upTo) waiting.push(ask(query));
    await vi.waitFor(() => expect(loans.held()).toBe(upTo), { timeout: 15_000 });
  };
  const unknown = (): string => `{ books { title n${Math.random().toString(36).slice(2)}: title } }`;
  const seen = async () => ({
    extra: await ask(asks.extra),
    other: await ask(asks.other),
    unknown: await ask(unknown()),
    lending: await ask(asks.lending),
  });

  await hold(asks.slow, 3);
  expect(Object.values(await seen())).toEqual(Array(4).fill('served'));
  await hold(asks.slow, 5);
  expect(await seen()).toEqual({ extra: 'sent away', other: 'served', unknown: 'served', lending: 'served' });
  await hold(asks.slow, 6);
  expect(await seen()).toEqual({
    extra: 'sent away',
    other: 'sent away',
    unknown: 'sent away',
    lending: 'served',
  });
  await hold(asks.slowLending, 8);
  expect(Object.values(await seen())).toEqual(Array(4).fill('sent away'));
  expect(await figure('gateway_requests_shed_total{class="extras"}')).toBe(2);
  expect(await figure('gateway_requests_shed_total{class="others"}')).toBe(2);
  expect(await figure('gateway_requests_shed_total{class="*"}')).toBe(4);

  loans.letGo();
  expect(await Promise.all(waiting)).toEqual(Array(8).fill('served'));
  await inFlight(0);
  expect(Object.values(await seen())).toEqual(Array(4).fill('served'));
});

test('what is refused, malformed or left by its client keeps no place', async () => {
  for (const body of ['{', '{"query":"{"}', '{"query":"{ nothing }"}', '{"id":"x"}']) await gateway.ask(body);
  await fetch(gateway.url, { method: 'PUT' });
  await fetch(`${gateway.url}?query=${encodeURIComponent('mutation { retitle(id: 1, title: "x") { id } }')}`);
  await inFlight(0);

  loans.hold();
  const { port } = new URL(gateway.url);
  const body = JSON.stringify({ query: asks.slow });
  const request = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const socket = connect(Number(port), '127.0.0.1');
  // Three on one connection, of which the last two wait for the first one's answer, and part of a fourth.
  socket.write(request.repeat(3) + request.slice(0, -3));
  await vi.waitFor(() => expect(loans.held()).toBeGreaterThan(0), { timeout: 15_000 });
  socket.destroy();
  loans.letGo();
  await inFlight(0);
});

const block = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

test('a gateway whose loop is blocked sends away what matters least, and takes it back when it is calm', async () => {
  const blocked = await open('loopDelay: 250ms');
  const capacity = (): Promise<number> => figure('gateway_requests_capacity', blocked);
  loans.hold();
  const waiting = Array.from({ length: 14 }, () => ask(asks.slow, blocked));
  await vi.waitFor(() => expect(loans.held()).toBe(14), { timeout: 15_000 });
  expect(await ask(asks.extra, blocked)).toBe('served');

  while ((await capacity()) > 16)
    for (let i = 0; i < 3; i++) {
      block(400);
      await sleep(1);
    }
  expect(await ask(asks.extra, blocked)).toBe('sent away');
  expect(await ask(asks.lending, blocked)).toBe('served');

  while ((await capacity()) < 50) await sleep(100);
  expect(await ask(asks.extra, blocked)).toBe('served');
  loans.letGo();
  expect(await Promise.all(waiting)).toEqual(Array(14).fill('served'));
}, 60_000);
