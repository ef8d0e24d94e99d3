import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createServiceClient } from './service-client.ts';
import { signatureHeader, signingKey, verify, viewerHeader } from './signature.ts';
import type { Viewer } from './viewer.ts';

const secret = 's'.repeat(40);
const tenantId = '01900000-0000-7000-8000-000000000001';
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Heard = { viewer: Viewer | null; body: string };

/** A subgraph that answers the same to everything; `null` never answers. */
const serve = async (answer: { status?: number; text: string } | null) => {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const given = { viewer: request.headers[viewerHeader], signature: request.headers[signatureHeader] };
    heard.push({ viewer: verify(signingKey(secret), 'POST', request.url!, given, body, new Date()), body });
    if (answer) response.writeHead(answer.status ?? 200).end(answer.text);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = { url, subgraph: 'orders', service: 'shipping', scopes: ['orders:read'], secret };
  return { heard, client: createServiceClient({ ...options, timeoutMs: 500 }) };
};

test('a subgraph asks another under its own name and with its own rights, and is believed', async () => {
  const { client, heard } = await serve({ text: '{"data":{"order":null}}' });
  expect(await client.ask(tenantId, 'query ($id: ID!) { order(id: $id) { id } }', { id: 'ord_1' })).toEqual({
    order: null,
  });
  expect(heard[0]?.viewer).toMatchObject({ tenantId, userId: null, service: 'shipping' });
  expect(heard[0]?.viewer?.scopes).toEqual(new Set(['orders:read']));
  expect(JSON.parse(heard[0]!.body).variables).toEqual({ id: 'ord_1' });
});

describe('no answer is', () => {
  test.each([
    [
      'an answer with errors',
      { text: '{"data":null,"errors":[{"extensions":{"code":"INTERNAL"}}]}' },
      /INTERNAL/,
    ],
    ['another status', { status: 503, text: '{}' }, /503/],
    ['something that is not JSON', { text: '<html>' }, /JSON/],
    ['none in time', null, /timeout/i],
  ])('%s', async (_, answer, message) => {
    const { client } = await serve(answer);
    await expect(client.ask(tenantId, '{ order { id } }', {})).rejects.toThrow(message);
  });

  test('one from a port where nobody listens', async () => {
    const options = {
      url: 'http://127.0.0.1:9',
      subgraph: 'orders',
      service: 'shipping',
      scopes: [],
      secret,
    };
    await expect(
      createServiceClient({ ...options, timeoutMs: 500 }).ask(tenantId, '{ x }', {}),
    ).rejects.toThrow();
  });
});
