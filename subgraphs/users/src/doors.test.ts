// The doors for gateways, as the host opens them.
import { hash, randomUUID } from 'node:crypto';
import { decodeId } from '@orderstream/runtime/ids';
import { createLog } from '@orderstream/runtime/log';
import { sign, signatureHeader, signingKey, viewerHeader } from '@orderstream/runtime/signature';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop, tenantId } from './testing.ts';
import { createWebhooks } from './webhooks.ts';

const secret = 's'.repeat(40);
const gateway: Viewer = { ...anonymous(tenantId), service: 'gateway' };
const log = createLog('test', 'silent');

let shop: Awaited<ReturnType<typeof openShop>>;
let doors: ReturnType<typeof createWebhooks>;
beforeAll(async () => {
  shop = await openShop();
  doors = createWebhooks({ tokens: shop.vault.tokens, database: shop.database, secret });
});
afterAll(() => shop?.close());

type Asked = {
  readonly viewer?: Viewer;
  readonly secret?: string;
  readonly at?: Date;
  readonly signed?: string;
};
const ask = async (path: string, body: unknown, asked: Asked = {}) => {
  const now = new Date();
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const key = signingKey(asked.secret ?? secret);
  const { viewer, signature } = sign(
    key,
    'POST',
    asked.signed ?? `/users/${path}`,
    asked.viewer ?? gateway,
    text,
    asked.at ?? now,
  );
  const headers = { [viewerHeader]: viewer, [signatureHeader]: signature };
  const door = doors.find((one) => one.path === path)!;
  const answer = await door.handle({ headers, body: Buffer.from(text), now, log });
  // biome-ignore lint/suspicious/noExplicitAny: what is in it stands beside, in the expectation
  return answer.body as any;
};

const made = async () => {
  const admin = shop.staff('clients:read', 'clients:write', 'orders:read');
  const client = await shop.mutate(
    admin,
    'createApiClient',
    'CreateApiClientInput',
    '... on ApiClientCreated { key client { id keyPrefix } }',
    { idempotencyKey: randomUUID(), name: 'Acme', scopes: ['orders:read'], costPerMinute: 50 },
  );
  const change = (field: string, type: string, more: object) =>
    shop.mutate(admin, field, type, '', { idempotencyKey: randomUUID(), id: client.client.id, ...more });
  await change('setApiClientOperations', 'SetApiClientOperationsInput', {
    manifest: '{"1":"{ me { id } }"}',
  });
  return {
    key: client.key as string,
    keyPrefix: client.client.keyPrefix as string,
    id: decodeId('apiClient', client.client.id),
    revoke: () => change('revokeApiClient', 'RevokeApiClientInput', {}),
  };
};

test('a gateway learns of a client by the prefix of its key, and of its operations where it has not got them', async () => {
  const { key, keyPrefix, id } = await made();
  const client = {
    id,
    name: 'Acme',
    keyPrefix,
    keyHash: hash('sha256', key),
    scopes: ['orders:read'],
    perMinute: 600,
    perDay: 100_000,
    costPerMinute: 50,
    version: 2,
  };
  const operations = [{ id: '1', name: null, body: '{ me { id } }' }];
  expect(await ask('api-client', { keyPrefix })).toEqual({ client: { ...client, operations } });
  expect(await ask('api-client', { keyPrefix, version: 1 })).toEqual({ client: { ...client, operations } });
  expect(await ask('api-client', { keyPrefix, version: 2 })).toEqual({
    client: { ...client, operations: null },
  });
});

test('a key that was revoked, one of nobody and one of another tenant are all nobody’s', async () => {
  const { keyPrefix, revoke } = await made();
  const elsewhere = { ...gateway, tenantId: '01900000-0000-7000-8000-000000000002' };
  expect(await ask('api-client', { keyPrefix }, { viewer: elsewhere })).toEqual({ client: null });
  expect(await ask('api-client', { keyPrefix: 'osk_000000000000' })).toEqual({ client: null });
  await revoke();
  expect(await ask('api-client', { keyPrefix, version: 2 })).toEqual({ client: null });
});

test('the doors open to gateways alone', async () => {
  const staff = shop.staff('clients:read', 'clients:write');
  const attempts: Asked[] = [
    { secret: 'x'.repeat(40) },
    { viewer: staff },
    { viewer: { ...staff, service: 'shipping' } },
    { at: new Date(Date.now() - 60_000) },
    { signed: '/users/graphql' },
  ];
  for (const path of ['api-client', 'api-client-usage'])
    for (const attempt of attempts)
      await expect(ask(path, { keyPrefix: 'osk_1' }, attempt)).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      });
});

test('a batch of usage counts once, and one that is not sound not at all', async () => {
  const { id } = await made();
  const one = { clientId: id, day: '2026-11-21', requests: 3, refused: 1, cost: 9 };
  const batch = { id: randomUUID(), usage: [one] };
  expect(await ask('api-client-usage', batch)).toEqual({ isNew: true });
  expect(await ask('api-client-usage', batch)).toEqual({ isNew: false });
  const wrong = [
    'no JSON',
    {},
    { id: 'x', usage: [] },
    { id: randomUUID(), usage: [{ ...one, requests: -1 }] },
    { id: randomUUID(), usage: [{ ...one, cost: 1.5 }] },
    { id: randomUUID(), usage: [{ ...one, refused: 4 }] },
    { id: randomUUID(), usage: [{ ...one, day: '21.11.2026' }] },
    { id: randomUUID(), usage: Array.from({ length: 1_001 }, () => one) },
  ];
  for (const body of wrong)
    await expect(ask('api-client-usage', body)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  const rows = await shop.database.sql`
    select requests, refused, cost from api_client_usage where client_id = ${id}`;
  expect(rows).toEqual([{ requests: 3, refused: 1, cost: 9 }]);
});
