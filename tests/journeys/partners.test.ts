// A partner's program: it is given a key, asks for what was agreed on and for nothing else, and one day no more.
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test, vi } from 'vitest';
import { accepted } from '../../ops/operations/client.ts';
import {
  ApiClientsDocument,
  type ClientViewFragment,
  CreateApiClientDocument,
  type CreateApiClientInput,
  RevokeApiClientDocument,
  SetApiClientOperationsDocument,
} from '../../ops/operations/generated/graphql.ts';
import { graphqlUrl, newPerson, type Person, signIn } from './customer.ts';
import { type Answer, codes, postTo } from './wire.ts';

let admin: Person;
beforeAll(async () => {
  admin = await signIn('admin');
});

type Partner = {
  readonly client: ClientViewFragment;
  readonly key: string;
  readonly ask: (body: object, key?: string) => Promise<Answer>;
};

/** @param operations texts by id */
const newPartner = async (
  operations: Record<string, string>,
  wish: Partial<CreateApiClientInput> = {},
): Promise<Partner> => {
  const { createApiClient } = await admin.client.send(CreateApiClientDocument, {
    input: { idempotencyKey: randomUUID(), name: `Partner ${randomUUID()}`, ...wish },
  });
  const { client, key } = accepted(createApiClient, 'ApiClientCreated');
  const { setApiClientOperations } = await admin.client.send(SetApiClientOperationsDocument, {
    input: { idempotencyKey: randomUUID(), id: client.id, manifest: JSON.stringify(operations) },
  });
  accepted(setApiClientOperations, 'ApiClientOperationsSet');
  return {
    client,
    key: key!,
    ask: (body, by = key!) => postTo(graphqlUrl, JSON.stringify(body), { 'x-api-key': by }),
  };
};

/** What an event stream says from its first word to its end. */
const streamed = async ({ key }: Partner, body: object): Promise<string> => {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream', 'x-api-key': key };
  const response = await fetch(graphqlUrl, { method: 'POST', headers, body: JSON.stringify(body) });
  return response.text();
};

const clientNow = async ({ client }: Partner): Promise<ClientViewFragment> => {
  const { apiClients } = await admin.client.send(ApiClientsDocument);
  return apiClients.edges.map(({ node }) => node).find(({ id }) => id === client.id)!;
};

const goods = 'query Goods($first: Int) { products(first: $first) { edges { node { name } } } }';
const stock = 'query Stock { stockLevels(first: 1) { edges { node { id } } } }';

test('a partner asks for its own operations by their ids, and for nothing else', async () => {
  const [one, two] = await Promise.all([newPartner({ goods }), newPartner({ 'goods of two': goods })]);
  const asked = { id: 'goods', variables: { first: 2 } };
  const answer = await one.ask(asked);
  expect(answer).toMatchObject({ status: 200, errors: [] });
  expect(answer.data).toMatchObject({ products: { edges: [{}, {}] } });
  expect(await one.ask(asked)).toEqual(answer);
  for (const body of [
    { query: goods },
    { query: goods, id: 'goods' },
    { id: 'goods of two' },
    { id: 'nobody’s' },
    { query: '{ __schema { queryType { name } } }' },
  ])
    expect(codes(await one.ask(body))).toEqual(['PERSISTED_QUERY_REQUIRED']);
  expect((await two.ask({ id: 'goods of two' })).errors).toEqual([]);
  // What is known to be good for one may not become known to be good for all.
  expect(codes(await two.ask(asked))).toEqual(['PERSISTED_QUERY_REQUIRED']);
});

test('a partner has the scopes that it was given, and no others', async () => {
  const [clerk, guest] = await Promise.all([
    newPartner({ stock }, { scopes: ['stock:read'] }),
    newPartner({ stock }, { scopes: ['orders:read'] }),
  ]);
  const seen = await clerk.ask({ id: 'stock' });
  expect(seen.errors).toEqual([]);
  expect(seen.data).toMatchObject({ stockLevels: { edges: [{}] } });
  expect(codes(await guest.ask({ id: 'stock' }))).toEqual(['FORBIDDEN']);
});

test('a partner who asks too often in a minute is told so, and the others are not', async () => {
  const [busy, other] = await Promise.all([newPartner({ goods }, { perMinute: 3 }), newPartner({ goods })]);
  const asked = { id: 'goods', variables: { first: 1 } };
  for (let times = 0; times < 3; times++) expect((await busy.ask(asked)).errors).toEqual([]);
  const refused = await busy.ask(asked);
  expect([refused.status, codes(refused)]).toEqual([429, ['RATE_LIMITED']]);
  expect((await other.ask(asked)).errors).toEqual([]);
});

test('a partner who asks for too much in a minute is told so, however seldom it asks', async () => {
  const partner = await newPartner({ goods }, { costPerMinute: 50 });
  const told = [];
  for (let times = 0; times < 10; times++)
    told.push(codes(await partner.ask({ id: 'goods', variables: { first: 10 } })));
  expect(told[0]).toEqual([]);
  expect(told.at(-1)).toEqual(['RATE_LIMITED']);
  // What no minute has room for is not to be tried again.
  expect(codes(await partner.ask({ id: 'goods', variables: { first: 100 } }))).toEqual(['QUERY_TOO_COMPLEX']);
});

test('a key that is not a key is nobody’s', async () => {
  const { client, ask } = await newPartner({ goods });
  for (const key of ['x', `${client.keyPrefix}_${'x'.repeat(43)}`, `osk_0123456789ab_${'x'.repeat(43)}`]) {
    const answer = await ask({ id: 'goods' }, key);
    expect([key, answer.status, codes(answer)]).toEqual([key, 401, ['UNAUTHENTICATED']]);
  }
});

test('a partner subscribes by an id, and to nothing else', async () => {
  const watch = 'subscription Watch { lowStock { id } }';
  const [partner, other] = await Promise.all([
    newPartner({ goods }, { scopes: ['stock:read'] }),
    newPartner({ watch }, { scopes: ['stock:read'] }),
  ]);
  for (const body of [{ query: watch }, { id: 'watch' }])
    expect(await streamed(partner, body)).toContain('PERSISTED_QUERY_REQUIRED');
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream', 'x-api-key': other.key };
  const abort = new AbortController();
  const { status, headers: told } = await fetch(graphqlUrl, {
    method: 'POST',
    headers,
    body: JSON.stringify({ id: 'watch' }),
    signal: abort.signal,
  });
  expect([status, told.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  abort.abort();
});

test('a key that was revoked ends within ten seconds, and what goes on by it with it', async () => {
  const partner = await newPartner(
    { goods, watch: 'subscription Watch { lowStock { id } }' },
    { scopes: ['stock:read'] },
  );
  const stream = streamed(partner, { id: 'watch' });
  const asked = { id: 'goods', variables: { first: 1 } };
  expect((await partner.ask(asked)).errors).toEqual([]);
  const { revokeApiClient } = await admin.client.send(RevokeApiClientDocument, {
    input: { idempotencyKey: randomUUID(), id: partner.client.id },
  });
  accepted(revokeApiClient, 'ApiClientRevoked');
  // Ten seconds and what a busy machine takes to answer.
  await vi.waitFor(async () => expect(codes(await partner.ask(asked))).toEqual(['UNAUTHENTICATED']), {
    timeout: 12_000,
    interval: 250,
  });
  expect((await clientNow(partner)).revokedAt).not.toBeNull();
  expect(await stream).toContain('UNAUTHENTICATED');
});

test('what a partner asked is shown to admins, and to nobody else', async () => {
  const partner = await newPartner({ goods });
  const asked = { id: 'goods', variables: { first: 1 } };
  for (let times = 0; times < 3; times++) await partner.ask(asked);
  await partner.ask({ query: goods });
  await vi.waitFor(
    async () => {
      const { usage } = await clientNow(partner);
      const sum = (of: (day: (typeof usage)[number]) => number) =>
        usage.reduce((all, day) => all + of(day), 0);
      expect([sum(({ requests }) => requests), sum(({ refused }) => refused)]).toEqual([4, 1]);
      expect(sum(({ cost }) => cost)).toBeGreaterThan(0);
    },
    { timeout: 20_000, interval: 500 },
  );
  const customer = await newPerson();
  for (const person of [customer, await signIn('reviewer')])
    await expect(person.client.send(ApiClientsDocument)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(
    customer.client.send(CreateApiClientDocument, { input: { idempotencyKey: randomUUID(), name: 'Mine' } }),
  ).rejects.toMatchObject({ code: 'FORBIDDEN' });
});
