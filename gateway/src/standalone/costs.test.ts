// What requests cost, through the gateway: who may spend how much, and who is told.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyHashOf } from '../persisted/partners.ts';
import { type Library, openLibrary } from './fixture-library.ts';

let library: Library;
let keys: Awaited<ReturnType<typeof generateKeyPair>>;
let auth: string;

beforeAll(async () => {
  library = await openLibrary();
  keys = await generateKeyPair('ES256');
  const file = join(library.dir, 'keys.json');
  writeFileSync(
    file,
    JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), alg: 'ES256', kid: '1' }] }),
  );
  auth = `auth: { issuers: [{ issuer: us, audiences: [gateway], keys: { file: "${file}" } }] }`;
});
afterAll(() => library.close());

const open = (settings: string, supergraph?: string) =>
  library.gateway(`limits: { deadline: 60s, planning: 30s }\n${settings}`, supergraph);

const signedInAs = async (subject: string, scope = ''): Promise<Record<string, string>> => {
  const token = await new SignJWT({ scope })
    .setProtectedHeader({ alg: 'ES256', kid: '1' })
    .setIssuer('us')
    .setAudience('gateway')
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(keys.privateKey);
  return { authorization: `Bearer ${token}` };
};

const page = (first: number) => ({ query: `{ books(first: ${first}) { title } }` });
const verdict = ({
  status,
  body,
}: {
  status: number;
  body: { errors?: { extensions: { code: string } }[] };
}) => (body.errors ? `${status} ${body.errors[0]!.extensions.code}` : status);

test('what somebody spends in a minute is bounded, on both ways and for each apart', async () => {
  const rules = 'rates: { rules: [{ by: user, counts: cost, limit: 100, window: 1h }] }';
  const gateway = await open(`${auth}\n${rules}`);
  const [ada, bob] = await Promise.all([signedInAs('ada'), signedInAs('bob')]);
  const asAda = async (first: number) => verdict(await gateway.ask(page(first), ada));
  // New the first time, known the second.
  expect([await asAda(40), await asAda(40), await asAda(40), await asAda(20)]).toEqual([
    200,
    200,
    '429 RATE_LIMITED',
    200,
  ]);
  // What is new is charged before it is asked of anybody, as well.
  expect(await asAda(3)).toBe('429 RATE_LIMITED');
  expect(verdict(await gateway.ask({ query: '{ hello }' }, ada))).toBe(200);
  expect(verdict(await gateway.ask(page(100), bob))).toBe(200);
  expect(verdict(await gateway.ask(page(100)))).toBe(200);
});

test('a refusal says when there is room again, on both ways', async () => {
  const rules = 'rates: { rules: [{ by: address, counts: cost, limit: 100, window: 1h }] }';
  const gateway = await open(rules);
  await gateway.ask(page(60));
  for (const first of [60, 50]) {
    const refused = await gateway.ask(page(first));
    expect(verdict(refused)).toBe('429 RATE_LIMITED');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60);
    expect(refused.body.errors[0].extensions.retryable).toBe(true);
  }
});

test('what is dearer than all that may be spent is refused for what it is', async () => {
  const rules = 'rates: { rules: [{ by: address, counts: cost, limit: 10, window: 1s }] }';
  const gateway = await open(rules);
  for (let time = 0; time < 2; time++) {
    const refused = await gateway.ask(page(11));
    expect(verdict(refused)).toBe('400 QUERY_TOO_COMPLEX');
    expect(refused.body.errors[0].message).toContain('its cost is 11, of 10 allowed in 1 seconds');
  }
  expect(verdict(await gateway.ask(page(10)))).toBe(200);
});

test('a partner has a budget of its own, and others are not charged for it', async () => {
  const manifest = join(library.dir, 'acme.json');
  const operation = {
    id: 'books',
    name: 'Books',
    type: 'query',
    body: 'query Books { books(first: 10) { title } }',
  };
  writeFileSync(
    manifest,
    JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations: [operation] }),
  );
  const key = 'key_00000001.secret';
  const gateway = await open(
    `persisted: { partners: [{ id: acme, key: { prefix: key_00000001, sha256: ${keyHashOf(key)} }, manifest: "${manifest}", costPerMinute: 25 }] }`,
  );
  const asAcme = async () => verdict(await gateway.ask({ id: 'books' }, { 'x-api-key': key }));
  expect([await asAcme(), await asAcme(), await asAcme()]).toEqual([200, 200, '429 RATE_LIMITED']);
  expect(verdict(await gateway.ask(page(100)))).toBe(200);
});

test('developers are told what was estimated, what it came to and what the limit is; nobody else is', async () => {
  const gateway = await open(`${auth}\ndevelopers: { scope: developer }\n`);
  const [developer, ada] = await Promise.all([signedInAs('dev', 'developer'), signedInAs('ada')]);
  const asked = { 'x-orderstream-cost': '1' };
  const query = 'query ($first: Int) { books(first: $first) { title } }';
  for (const [first, estimated] of [
    [50, 50],
    [7, 7],
  ]) {
    const told = await gateway.ask({ query, variables: { first } }, { ...developer, ...asked });
    expect(told.body.data.books).toHaveLength(2);
    expect(told.body.extensions).toEqual({ cost: { estimated, actual: 2, limit: 5_000 } });
  }
  const both = await gateway.ask(page(5), { ...developer, ...asked, 'x-orderstream-fanout': '1' });
  expect(both.body.extensions).toMatchObject({ cost: { estimated: 5, actual: 2 }, fanout: { calls: 1 } });
  const schema = await gateway.ask({ query: '{ __typename }' }, { ...developer, ...asked });
  expect(schema.body).toMatchObject({ data: { __typename: 'Query' } });
  for (const headers of [{ ...ada, ...asked }, asked, developer]) {
    const silent = await gateway.ask(page(5), headers);
    expect(silent.body.data.books).toHaveLength(2);
    expect(silent.body.extensions).toBeUndefined();
  }
});

test('a subscription is within the limit of whoever asks for it, or is not begun', async () => {
  const { supergraphSdl } = composeServices([
    {
      name: 'clocks',
      url: 'http://127.0.0.1:1/graphql',
      typeDefs: parse(
        'type Query { now: Int } type Subscription { ticks(first: Int): [Tick] } type Tick { at: Int parts(first: Int): [Tick] }',
      ),
    },
  ]);
  const file = join(library.dir, 'clocks.graphql');
  writeFileSync(file, supergraphSdl!);
  const gateway = await open(`${auth}\nsubscriptions: { keepAlive: 200ms }`, file);
  const follow = (first: number, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
      body: JSON.stringify({ query: `subscription { ticks(first: ${first}) { parts(first: 20) { at } } }` }),
    });
  expect(await (await follow(50)).text()).toContain('"code":"QUERY_TOO_COMPLEX"');
  // There are no clocks, so all that comes of what is begun is a sign of life.
  for (const begun of [await follow(10), await follow(50, await signedInAs('ada'))]) {
    const reader = begun.body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toMatch(/^:/);
    await reader.cancel();
  }
});
