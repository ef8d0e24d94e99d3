import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
// @boundaries-ignore tests share databases and services
import { key, path, type Served, serveShelf, signedHeaders, viewer } from '../../../tests/shelf/served.ts';
// @boundaries-ignore tests share databases and services
import { batches } from '../../../tests/shelf/shelf.ts';
import { sign, subscriptionBody, viewerHeader } from '../signature.ts';
import { newTrace, traceId } from '../trace.ts';
import { anonymous, viewerToText } from '../viewer.ts';

let shelf: Served;
beforeAll(async () => {
  shelf = await serveShelf();
});
afterAll(() => shelf.close());
beforeEach(() => {
  batches.length = 0;
});

const codeOf = (text: string): string => JSON.parse(text).errors[0].extensions.code;
const simple = JSON.stringify({ query: '{ viewerId }' });
const references = (...r: unknown[]) => ({
  query: `query ($r: [_Any!]!) {
    _entities(representations: $r) { __typename ... on Book { title } ... on Author { name } ... on Loner { id } }
  }`,
  variables: { r },
});
const book = (title: string) => ({ __typename: 'Book', title });

describe('who is answered', () => {
  test('the gateway, on behalf of whoever it says', async () => {
    const answer = await shelf.send(simple, signedHeaders(simple));
    expect(answer).toMatchObject({
      status: 200,
      text: JSON.stringify({ data: { viewerId: viewer.userId } }),
    });
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  test.each([
    ['a query', '{ viewerId }'],
    ['the schema', '{ _service { sdl } }'],
    ['entities', '{ _entities(representations: [{ __typename: "Book", title: "Emma" }]) { __typename } }'],
    ['introspection', '{ __schema { queryType { name } } }'],
  ])('nobody who asks for %s without a signature', async (_, query) => {
    const body = JSON.stringify({ query });
    const attempts: Record<string, string>[] = [
      {},
      { 'content-type': 'application/json' },
      { [viewerHeader]: viewerToText(viewer) },
    ];
    for (const headers of attempts) {
      const answer = await shelf.send(body, headers);
      expect(answer.status).toBe(401);
      expect(codeOf(answer.text)).toBe('UNAUTHENTICATED');
    }
    expect(batches).toEqual([]);
  });

  test('a signed request cannot be used for another body, another viewer, another place or much later', async () => {
    const headers = signedHeaders(simple);
    const other = viewerToText({ ...anonymous(randomUUID()), scopes: new Set(['orders:read']) });
    const answers = await Promise.all([
      shelf.send('{"query":"{ strict { title } }"}', headers),
      shelf.send(simple, { ...headers, [viewerHeader]: other }),
      shelf.send(simple, headers, `${path}?x=1`),
      shelf.send(simple, signedHeaders(simple, new Date(Date.now() - 31_000))),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401, 401]);
    expect((await shelf.send(simple, headers)).status).toBe(200);
  });

  test('an answer bears the name of its call, if that is one', async () => {
    const named = async (id: string) =>
      (await shelf.send(simple, { ...signedHeaders(simple), 'x-call-id': id })).headers.get('x-call-id');
    expect(await named('a7-19')).toBe('a7-19');
    expect(await named('no name')).toBeNull();
    expect(await named('x'.repeat(65))).toBeNull();
  });

  test('nobody who has given up: what was not begun is left', async () => {
    const late = JSON.stringify({ query: '{ viewerId afterAMoment }' });
    const within = async (ms: string) =>
      JSON.parse((await shelf.send(late, { ...signedHeaders(late), 'x-deadline-ms': ms })).text);
    expect(await within('20')).toMatchObject({
      data: { viewerId: viewer.userId, afterAMoment: null },
      errors: [{ path: ['afterAMoment'], extensions: { code: 'DEADLINE_EXCEEDED', retryable: true } }],
    });
    for (const ms of ['20000', 'soon', '-1'])
      expect(await within(ms)).toEqual({ data: { viewerId: viewer.userId, afterAMoment: 1 } });
  });

  test('an error bears the trace of the request that made it', async () => {
    const trace = newTrace();
    const { text } = await shelf.ask({ query: '{ book { broken } }' }, trace);
    expect(JSON.parse(text).errors).toEqual([
      {
        message: 'Something went wrong on our side.',
        locations: [{ line: 1, column: 10 }],
        path: ['book', 'broken'],
        extensions: { code: 'INTERNAL', retryable: false, traceId: traceId(trace) },
      },
    ]);
  });
});

describe('what is refused', () => {
  test('a signed body that is not JSON', async () => {
    const answer = await shelf.send('{"query":', signedHeaders('{"query":'));
    expect(answer.status).toBe(400);
    expect(codeOf(answer.text)).toBe('BAD_USER_INPUT');
  });

  test('a body of more than 4 MB, announced or not, and the next request is answered', async () => {
    const announced = await shelf.send('x'.repeat(5 * 1024 * 1024));
    expect(announced.status).toBe(413);
    expect(codeOf(announced.text)).toBe('PAYLOAD_TOO_LARGE');

    const chunked = request(shelf.host.url + path, { method: 'POST' });
    chunked.on('error', () => undefined);
    const answered = once(chunked, 'response');
    for (let sent = 0; sent < 5; sent++) chunked.write(Buffer.alloc(1024 * 1024));
    const [response] = await answered;
    expect(response.statusCode).toBe(413);
    chunked.destroy();
    expect((await shelf.send(simple, signedHeaders(simple))).status).toBe(200);
  });

  test.each([
    ['GET', path],
    ['POST', '/'],
    ['POST', '/shelf'],
    ['POST', '/other/graphql'],
    ['POST', '/shelf/graphql/'],
    ['GET', '/shelf/returns'],
    ['POST', '/shelf/opening-hours'],
    ['POST', '/__proto__/graphql'],
  ])('%s %s, where nothing is', async (method, to) => {
    const response = await fetch(shelf.host.url + to, { method, body: method === 'GET' ? null : '{}' });
    expect(response.status).toBe(404);
    expect(codeOf(await response.text())).toBe('NOT_FOUND');
  });

  test('a socket to a place where nothing is gets closed', async () => {
    const socket = new WebSocket(`${shelf.host.url.replace('http', 'ws')}/nowhere`);
    const [error] = await once(socket, 'close').catch((cause) => [cause]);
    expect(error).toBeInstanceOf(Error);
  }, 2_000);
});

describe('health', () => {
  test('a host tells that it is up and that what it needs is there', async () => {
    const up = await fetch(`${shelf.host.url}/health`);
    expect([up.status, await up.json()]).toEqual([200, { status: 'up' }]);
    const ready = await fetch(`${shelf.host.url}/health/ready`);
    const ok = { ok: true, tookMs: expect.any(Number) };
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { ready: true, dependencies: { redis: ok, kafka: ok, 'postgres shelf': ok } },
    ]);
  });
});

describe('webhooks', () => {
  test('get the bytes as they came', async () => {
    const answer = await shelf.send(' {"a":1}\n', { 'x-said': 'hello' }, '/shelf/returns');
    expect(answer).toMatchObject({ status: 202, text: '{"bytes":9,"said":"hello"}' });
    expect(answer.headers.get('x-shelf')).toBe('yes');
  });

  test('may be a GET and answer nothing', async () => {
    const response = await fetch(`${shelf.host.url}/shelf/opening-hours?day=1`);
    expect([response.status, await response.text()]).toEqual([204, '']);
  });

  test('have a size of their own', async () => {
    expect((await shelf.send('x'.repeat(1_001), {}, '/shelf/returns')).status).toBe(413);
    expect((await shelf.send('x'.repeat(1_000), {}, '/shelf/returns')).status).toBe(202);
  });

  test('that fail say so without saying why', async () => {
    const answer = await shelf.send('{}', {}, '/shelf/broken');
    expect(answer.status).toBe(500);
    expect(codeOf(answer.text)).toBe('INTERNAL');
    expect(answer.text).not.toContain('hunter2');
  });
});

describe('entities', () => {
  test('twenty references are one call, answered in their order', async () => {
    const titles = Array.from({ length: 20 }, (_, n) => ['Emma', 'None', 'Walden'][n % 3]!);
    const { text } = await shelf.ask(references(...titles.map(book)));
    expect(JSON.parse(text)).toEqual({
      data: { _entities: titles.map((title) => (title === 'None' ? null : { __typename: 'Book', title })) },
    });
    expect(batches).toEqual([{ type: 'Book', keys: titles }]);
  });

  test('of several types are one call for each, and come back where they were', async () => {
    const author = { __typename: 'Author', name: 'Austen' };
    const loner = { __typename: 'Loner', id: '1' };
    const { text } = await shelf.ask(references(book('Emma'), author, loner, book('Walden'), author));
    expect(JSON.parse(text).data._entities).toEqual([book('Emma'), author, loner, book('Walden'), author]);
    expect(batches).toEqual([
      { type: 'Book', keys: ['Emma', 'Walden'] },
      { type: 'Author', keys: ['Austen', 'Austen'] },
    ]);
  });

  test('none asked is none answered', async () => {
    expect((await shelf.ask(references())).text).toBe('{"data":{"_entities":[]}}');
  });

  test('one that may not be seen costs itself and no other', async () => {
    const { text } = await shelf.ask(
      references(book('Emma'), book('torn'), { __typename: 'Loner', id: 'gone' }),
    );
    const { data, errors } = JSON.parse(text);
    expect(data._entities).toEqual([book('Emma'), null, null]);
    expect(
      errors.map((error: { path: unknown; extensions: { code: string } }) => [
        error.path,
        error.extensions.code,
      ]),
    ).toEqual([
      [['_entities', 1], 'FORBIDDEN'],
      [['_entities', 2], 'NOT_FOUND'],
    ]);
  });

  test('a batch that fails costs the entities of its type and no others', async () => {
    const author = { __typename: 'Author', name: 'Austen' };
    const { text } = await shelf.ask(references(book('burn'), author, book('Emma')));
    expect(JSON.parse(text).data._entities).toEqual([null, author, null]);
    expect(text).not.toContain('on fire');
  });
});

describe('subscriptions', () => {
  const client = () =>
    createClient({
      url: shelf.host.url.replace('http', 'ws') + path,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    });
  const signed = (query: string, variables?: Record<string, unknown>) => ({
    query,
    variables,
    extensions: sign(key, 'SUBSCRIBE', path, viewer, subscriptionBody(query, variables), new Date()) as never,
  });
  const all = async (events: AsyncIterable<unknown>): Promise<unknown[]> => {
    const list: unknown[] = [];
    for await (const event of events) list.push(event);
    return list;
  };
  const ticks = 'subscription ($n: Int!) { ticks(upTo: $n) }';

  test('are served to the gateway, event by event', async () => {
    const socket = client();
    const events = await all(socket.iterate(signed(ticks, { n: 3 })));
    expect(events).toEqual([1, 2, 3].map((n) => ({ data: { ticks: n } })));
    await socket.dispose();
  });

  test.each([
    ['without a signature', () => ({ query: ticks, variables: { n: 1 } }), 'UNAUTHENTICATED'],
    [
      'signed for other variables',
      () => ({ ...signed(ticks, { n: 1 }), variables: { n: 2 } }),
      'UNAUTHENTICATED',
    ],
    ['that meet a bug', () => signed('subscription { buggy }'), 'INTERNAL'],
    ['that the resolver refuses', () => signed('subscription { refused }'), 'FORBIDDEN'],
    ['that are queries', () => signed('{ viewerId }'), 'BAD_USER_INPUT'],
    ['with an unknown field', () => signed('subscription { colour }'), 'GRAPHQL_VALIDATION_FAILED'],
    ['that are no GraphQL', () => signed('subscription {'), 'GRAPHQL_PARSE_FAILED'],
    ['with wrong variables', () => signed(ticks, {}), 'BAD_USER_INPUT'],
  ])('%s are refused, and the others of the socket go on', async (_, payload, code) => {
    const socket = client();
    const refusal = await all(socket.iterate(payload())).then(
      (events) => (events as { errors: unknown[] }[])[0]?.errors,
      (errors) => errors,
    );
    expect(refusal).toMatchObject([{ message: expect.any(String), extensions: { code, retryable: false } }]);
    expect(JSON.stringify(refusal)).not.toContain('hunter2');
    expect(await all(socket.iterate(signed(ticks, { n: 1 })))).toEqual([{ data: { ticks: 1 } }]);
    await socket.dispose();
  });
});
