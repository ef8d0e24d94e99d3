import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCompression } from '../compression/compression.ts';
import { KeptReply } from './kept-reply.ts';
import type { Policy } from './policy.ts';

type Made = { policy: Policy | null; body: string; hasErrors: boolean };

const short = '{"data":{"name":"K\xc3\xa4se"}}';
const long = `{"data":{"name":"${'K\xc3\xa4se'.repeat(1_000)}"}}`;
let next: Made;
const ended: boolean[] = [];
const server = createServer((_, response) => {
  response.setHeader('vary', 'Origin');
  const options = {
    compression: createCompression({ enabled: true, atLeast: 1_024 }),
    vary: ['accept-language'],
    authHeader: 'authorization',
    end: (hasErrors: boolean) => {
      ended.push(hasErrors);
    },
  };
  new KeptReply(options, next.policy, {}, response).done(next.body, next.hasErrors);
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

const ask = async (
  made: Partial<Made>,
  headers: Record<string, string> = {},
  method: RequestOptions['method'] = 'GET',
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> => {
  next = { policy: { maxAge: 60, isPrivate: false }, body: short, hasErrors: false, ...made };
  const asked = request({ port: (server.address() as AddressInfo).port, method, headers }).end();
  const [response] = await once(asked, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
};

test('an answer says how long it may be kept, what it depends on, and its name', async () => {
  const { status, headers, body } = await ask({});
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'cache-control': 'public, max-age=60',
    etag: expect.stringMatching(/^"[\w-]{27}"$/),
    vary: 'origin, accept-language, accept, accept-encoding',
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(short.length),
  });
  expect(body.toString()).toBe('{"data":{"name":"Käse"}}');
});

test('who has the answer is told so, without a body', async () => {
  const { headers } = await ask({});
  for (const held of [headers.etag!, `W/${headers.etag}`, `"other", ${headers.etag}`, '*']) {
    const again = await ask({}, { 'if-none-match': held });
    expect(again.status).toBe(304);
    expect(again.body).toHaveLength(0);
    expect(again.headers).toMatchObject({
      etag: headers.etag,
      'cache-control': 'public, max-age=60',
      vary: headers.vary,
    });
  }
});

test('who has another answer is given this one', async () => {
  const { headers } = await ask({});
  const other = await ask({ body: '{"data":{"name":"Brot"}}' }, { 'if-none-match': headers.etag! });
  expect(other.status).toBe(200);
  expect(other.headers.etag).not.toBe(headers.etag);
  const unclosed = await ask({}, { 'if-none-match': headers.etag!.slice(0, -1) });
  expect(unclosed.status).toBe(200);
});

test('each packing has a name of its own, and is known again by any of them', async () => {
  const plain = await ask({ body: long });
  const br = await ask({ body: long }, { 'accept-encoding': 'br' });
  const gzip = await ask({ body: long }, { 'accept-encoding': 'gzip' });
  expect(br.headers).toMatchObject({ 'content-encoding': 'br', 'content-length': String(br.body.length) });
  expect(gzip.headers).toMatchObject({ 'content-encoding': 'gzip' });
  expect(brotliDecompressSync(br.body).toString('latin1')).toBe(long);
  expect(gunzipSync(gzip.body).toString('latin1')).toBe(long);
  expect(new Set([plain.headers.etag, br.headers.etag, gzip.headers.etag]).size).toBe(3);
  for (const held of [plain, br, gzip]) {
    const again = await ask(
      { body: long },
      { 'accept-encoding': 'gzip', 'if-none-match': held.headers.etag! },
    );
    expect(again.status).toBe(304);
    expect(again.headers.etag).toBe(held.headers.etag);
  }
});

test('a private answer is kept by its client, and depends on who asks', async () => {
  const { headers } = await ask({ policy: { maxAge: 5, isPrivate: true } });
  expect(headers['cache-control']).toBe('private, max-age=5');
  expect(headers.vary).toContain('authorization');
});

test.each([{ policy: null }, { hasErrors: true }])('nobody keeps an answer with %j', async (made) => {
  const { status, headers } = await ask(made, { 'if-none-match': '*' });
  expect(status).toBe(200);
  expect(headers['cache-control']).toBe('no-store');
  expect(headers).not.toHaveProperty('etag');
});

test('HEAD is answered as GET is, without a body', async () => {
  const got = await ask({ body: long }, { 'accept-encoding': 'br' });
  const head = await ask({ body: long }, { 'accept-encoding': 'br' }, 'HEAD');
  const { date: _date, ...same } = got.headers;
  expect(head.headers).toMatchObject(same);
  expect(head.body).toHaveLength(0);
});

test('it is told that the answer is on its way', async () => {
  ended.length = 0;
  await ask({});
  await ask({ hasErrors: true });
  await ask({}, { 'if-none-match': '*' });
  expect(ended).toEqual([false, true, false]);
});
