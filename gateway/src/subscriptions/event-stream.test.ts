import { sleep } from '@orderstream/runtime/time';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wantsEventStream } from './event-stream.ts';
import { type Hall, openHall } from './fixture-hall.ts';
import { until } from './fixture-visit.ts';

let hall: Hall;
const leaving: AbortController[] = [];
beforeEach(async () => {
  hall = await openHall();
});
afterEach(async () => {
  for (const one of leaving.splice(0)) one.abort();
  await hall.close();
});

const updates = 'subscription ($id: ID!) {orderUpdated(id: $id) {version note customer {name}}}';

const read = async (response: Response) => {
  const heard = { text: '', isOver: false };
  const run = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) heard.text += decoder.decode(chunk, { stream: true });
    heard.isOver = true;
  };
  run().catch(() => {
    heard.isOver = true;
  });
  return heard;
};

const ask = async (query: string, variables?: object, headers: Record<string, string> = {}) => {
  const abort = new AbortController();
  leaving.push(abort);
  const response = await fetch(hall.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify({ query, variables }),
    signal: abort.signal,
  });
  return { response, heard: await read(response), leave: () => abort.abort() };
};

const next = (result: object) => `event: next\ndata: ${JSON.stringify(result)}\n\n`;
const complete = 'event: complete\ndata: \n\n';
const event = (version: number) => ({
  data: { orderUpdated: { version, note: 'Grüße', customer: { name: 'Ada' } } },
});

test('events come as they happen, in the words of server-sent events', async () => {
  hall.put({ id: 'o1', version: 1, note: 'Grüße' });
  const { response, heard } = await ask(updates, { id: 'o1' });
  expect([
    response.status,
    response.headers.get('content-type'),
    response.headers.get('cache-control'),
  ]).toEqual([200, 'text/event-stream; charset=utf-8', 'no-cache, no-store']);
  await until(() => heard.text !== '');
  hall.put({ id: 'o1', version: 2, note: 'Grüße' });
  await until(() => heard.text.includes('"version":2'));
  expect(heard.text).toBe(next(event(1)) + next(event(2)));
});

test('what a subgraph ends is completed, and the response ends', async () => {
  const { heard } = await ask('subscription {countdown(from: 2)}');
  await until(() => heard.isOver);
  expect(heard.text).toBe(next({ data: { countdown: 2 } }) + next({ data: { countdown: 1 } }) + complete);
});

test('whoever leaves is not served on', async () => {
  const { leave } = await ask('subscription {ticket}');
  await until(() => hall.upstream.open === 1);
  leave();
  await until(() => hall.upstream.open === 0);
  await until(() => hall.subscriptions.state().clients === 0);
});

test('event streams and sockets share', async () => {
  await Promise.all(Array.from({ length: 5 }, () => ask('subscription {ticket}')));
  await until(() => hall.subscriptions.state().subscriptions === 5);
  expect(hall.upstream.opened).toBe(1);
});

test('what is wrong with the operation is told in the stream, what is no request by a status', async () => {
  const invalid = await ask('subscription {nothing}');
  await until(() => invalid.heard.isOver);
  expect(invalid.heard.text).toMatch(
    /^event: next\ndata: \{"errors":\[.*GRAPHQL_VALIDATION_FAILED.*\]\}\n\nevent: complete\ndata: \n\n$/,
  );
  const refused = await ask('subscription {forbidden {id}}');
  await until(() => refused.heard.isOver);
  expect(refused.heard.text).toContain('"code":"FORBIDDEN"');
  for (const body of [
    '{}',
    '[]',
    '{"query":1}',
    '{"query":"{a}","variables":[]}',
    '{"query":"{a}","operationName":1}',
  ]) {
    const { status } = await fetch(hall.url, {
      method: 'POST',
      headers: { accept: 'text/event-stream' },
      body,
    });
    expect(status).toBe(400);
  }
});

test('by GET a stream needs an origin that may call, or a header that no other page can send', async () => {
  hall.put({ id: 'o1', version: 1, note: 'Grüße' });
  const url = `${hall.url}?${new URLSearchParams({ query: updates, variables: '{"id":"o1"}' })}`;
  const get = (headers: Record<string, string>) => {
    const abort = new AbortController();
    leaving.push(abort);
    return fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: abort.signal });
  };
  expect((await get({})).status).toBe(403);
  expect((await get({ origin: 'https://evil.example' })).status).toBe(403);
  for (const [name, value] of [
    ['origin', 'https://shop.example'],
    ['apollo-require-preflight', '1'],
  ] as const) {
    const heard = await read(await get({ [name]: value }));
    await until(() => heard.text !== '');
    expect(heard.text).toBe(next(event(1)));
  }
  const broken = `${hall.url}?query={a}&variables={`;
  const headers = { accept: 'text/event-stream', 'apollo-require-preflight': '1' };
  expect((await fetch(broken, { headers })).status).toBe(400);
});

test('a quiet stream is kept alive by comments', async () => {
  await hall.close();
  hall = await openHall({ keepAliveMs: 50 });
  const { heard } = await ask('subscription {ticket}');
  await until(() => heard.text.length >= 6);
  expect(heard.text).toMatch(/^(:\n\n)+$/);
});

test('when the access token expires the stream ends by saying so', async () => {
  const { heard } = await ask('subscription {ticket}', {}, { authorization: 'ada 200' });
  await until(() => heard.isOver);
  expect(heard.text).toContain('"code":"UNAUTHENTICATED"');
  expect(heard.text.endsWith(complete)).toBe(true);
  expect(hall.upstream.open).toBe(0);
});

test('streams count as clients of their address and user, and are given back', async () => {
  await hall.close();
  hall = await openHall({ clientsPerUser: 1, clientsPerAddress: 2 });
  const first = await ask('subscription {ticket}', {}, { authorization: 'ada' });
  expect((await ask('subscription {ticket}', {}, { authorization: 'ada' })).response.status).toBe(429);
  expect((await ask('subscription {ticket}', {}, { authorization: 'bob' })).response.status).toBe(200);
  expect((await ask('subscription {ticket}', {}, { authorization: 'eve' })).response.status).toBe(429);
  first.leave();
  await until(() => hall.subscriptions.state().clients === 1);
  expect((await ask('subscription {ticket}', {}, { authorization: 'ada' })).response.status).toBe(200);
});

test('a process that stops ends its streams with a time to come back', async () => {
  const { heard } = await ask('subscription {ticket}');
  await hall.subscriptions.drain();
  await until(() => heard.isOver);
  expect(Number(/^retry: (\d+)\n\n$/.exec(heard.text)?.[1])).toBeGreaterThanOrEqual(1_000);
  expect((await ask('subscription {ticket}')).response.status).toBe(503);
});

test('a stream that is not read skips versions and has the newest at last', async () => {
  const response = await fetch(hall.url, {
    method: 'POST',
    headers: { accept: 'text/event-stream' },
    body: JSON.stringify({ query: 'subscription {orderFeed {version note}}' }),
  });
  await until(() => hall.ears() === 1);
  const note = 'x'.repeat(100_000);
  for (let version = 1; version <= 300; version++) {
    hall.put({ id: 'o1', version, note });
    if (version % 10 === 0) await sleep(5);
  }
  await sleep(100);
  const heard = await read(response);
  await until(() => heard.text.includes('"version":300,'));
  const versions = [...heard.text.matchAll(/"version":(\d+),/g)].map(([, version]) => Number(version));
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  expect(versions.length).toBeLessThan(300);
  await response.body?.cancel().catch(() => undefined);
});

test.each([
  ['text/event-stream', 'subscription {a}', true],
  ['text/event-stream', '{a}', true],
  ['application/json, text/event-stream;q=0.5', 'subscription {a}', true],
  ['application/json, text/event-stream', '{subscription}', false],
  ['application/json, text/event-stream', 'subscription', false],
  ['application/json', 'subscription {a}', false],
  [undefined, 'subscription {a}', false],
])('accept %s with %s: %s', (accept, query, expected) => {
  expect(wantsEventStream(accept, { query })).toBe(expected);
});
