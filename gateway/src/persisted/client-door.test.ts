import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signatureHeader, signingKey, verify, viewerHeader } from '@orderstream/runtime/signature';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ClientDoor, createClientDoor, NotTaken } from './client-door.ts';

const secret = 's'.repeat(40);
const tenantId = '01900000-0000-7000-8000-000000000001';
const client = {
  id: 'c',
  name: 'Acme',
  keyPrefix: 'osk_0',
  keyHash: 'a'.repeat(64),
  scopes: [],
  perMinute: 1,
  perDay: 1,
  costPerMinute: null,
  version: 1,
  operations: [],
};

type Asked = { readonly path: string; readonly body: unknown; readonly service: string | null | undefined };
let server: Server;
let url: string;
let door: ClientDoor;
let asked: Asked[];
let answer: { status: number; text: string } | null;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const given = { viewer: request.headers[viewerHeader], signature: request.headers[signatureHeader] };
    const viewer = verify(signingKey(secret), 'POST', request.url!, given, body, new Date());
    asked.push({
      path: request.url!,
      body: JSON.parse(body),
      service: viewer?.tenantId === tenantId ? viewer.service : undefined,
    });
    // Without an answer it waits for ever.
    if (answer) response.writeHead(answer.status, { location: '/elsewhere' }).end(answer.text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  door = createClientDoor({ url, secret, tenantId, timeoutMs: 20_000 });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
});

const says = (status: number, body: unknown): void => {
  answer = { status, text: typeof body === 'string' ? body : JSON.stringify(body) };
};

test('asks as a gateway, signed, with the version that is held', async () => {
  says(200, { client });
  expect(await door.ask('osk_0', 3)).toEqual(client);
  says(200, { client: null });
  expect(await door.ask('osk_0', undefined)).toBeNull();
  expect(asked).toEqual([
    { path: '/users/api-client', body: { keyPrefix: 'osk_0', version: 3 }, service: 'gateway' },
    { path: '/users/api-client', body: { keyPrefix: 'osk_0' }, service: 'gateway' },
  ]);
});

test('tells usage, and what is wrong with it is told apart from nobody being there', async () => {
  const batch = { id: 'b', usage: [] };
  says(200, { isNew: true });
  await door.tell(batch);
  expect(asked).toEqual([{ path: '/users/api-client-usage', body: batch, service: 'gateway' }]);
  says(400, 'no');
  await expect(door.tell(batch)).rejects.toBeInstanceOf(NotTaken);
  says(503, 'no');
  await expect(door.tell(batch)).rejects.not.toBeInstanceOf(NotTaken);
});

test.each<[string, number, unknown]>([
  ['an error', 500, { client }],
  ['a refusal', 401, {}],
  ['a way to somebody else', 307, ''],
  ['something else', 200, '<html>'],
  ['half a client', 200, { client: { ...client, keyHash: undefined } }],
  ['a hash of another length', 200, { client: { ...client, keyHash: 'a' } }],
])('%s is no answer', async (_what, status, body) => {
  says(status, body);
  await expect(door.ask('osk_0', undefined)).rejects.toThrow();
});

test('who does not answer is not waited for', async () => {
  answer = null;
  const hasty = createClientDoor({ url, secret, tenantId, timeoutMs: 100 });
  await expect(hasty.ask('osk_0', undefined)).rejects.toMatchObject({ name: 'TimeoutError' });
});
