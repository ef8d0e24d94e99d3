// Bad requests to the shop's gateway as customers meet it, before the shop's own subgraphs, with what each costs it.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { accept, asked, type Words } from '../hostile/input.ts';
import { inputsIn } from '../hostile/inputs.ts';
import { judge } from '../hostile/judgement.ts';
import { type MeteredGateway, startMetered } from '../hostile/metered-gateway.ts';
import { bytesOf, say } from '../hostile/raw-http.ts';
import { newPerson } from './customer.ts';

const { subgraphsUrl, secrets } = inject('product');
const { redisUrl } = inject('services');

const words: Words = {
  list: 'categories',
  leaf: 'id',
  next: 'parent',
  paged: 'products(first: $n) { totalCount }',
  sought: 'searchProducts(q: $text) { products { totalCount } }',
  textType: 'String!',
  guess: 'login(input: { email: "a@example.com", password: "x" }) { __typename }',
  wide: { field: 'me', names: Array.from({ length: 30 }, (_, at) => `field${at}`) },
  misspelt: ['catgories', 'categories'],
};

let gateway: MeteredGateway;
let shelves: string;
let folder: string;

const ask = async (
  query: string,
  headers: Record<string, string> = {},
  variables?: object,
): Promise<string> => {
  const { text } = await say(gateway.url, asked({ body: JSON.stringify({ query, variables }), headers }));
  return text.slice(text.indexOf('\r\n\r\n') + 4).trim();
};

const isWell = async (): Promise<void> => {
  expect(await ask('{ categories { id } }')).toBe(shelves);
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'orderstream-hostile-'));
  const settings = join(folder, 'gateway.yaml');
  // As in production. And on a busy machine a planner takes longer to start than anybody would wait.
  writeFileSync(settings, 'introspection: nobody\nlimits: { planning: 30s, deadline: 40s }');
  gateway = await startMetered({
    file: 'gateway/src/main.ts',
    env: {
      LOG_LEVEL: 'error',
      PORT: '0',
      GATEWAY_CONFIG: settings,
      SUBGRAPHS_URL: subgraphsUrl,
      GATEWAY_SECRET: secrets.gateway,
      REDIS_URL: redisUrl,
      REDIS_PREFIX: `${randomUUID()}:`,
      // Each attempt to sign in comes from somewhere else.
      TRUST_PROXY: '1',
    },
  });
  shelves = await ask('{ categories { id } }');
  expect(shelves).toMatch(/^\{"data":\{"categories":\[\{"id":/);
}, 120_000);
afterAll(async () => {
  await gateway?.stop();
  rmSync(folder, { recursive: true });
});

const inputs = inputsIn(words).map((input) => [input.number, input.what, input] as const);

test.each(inputs)('%i: %s is told what is wrong, in no time', async (_number, _what, input) => {
  await judge(gateway, input, isWell);
});

test.each([
  ['by a column that is a secret', '{ orders(sort: PASSWORD_HASH) { totalCount } }'],
  ['by a piece of SQL', '{ orders(sort: "id; drop table orders") { totalCount } }'],
  ['with a filter of other words', '{ orders(filter: { passwordHash: "x" }) { totalCount } }'],
])('36: a list %s is no list', async (_what, query) => {
  expect(await ask(query)).toContain('"code":"GRAPHQL_VALIDATION_FAILED"');
});

test('11: a misspelt name is not helped with', async () => {
  const answer = await ask(`{ ${words.misspelt[0]} { id } }`);
  expect(answer).toContain(words.misspelt[0]);
  expect(answer).not.toContain(words.misspelt[1]);
});

test('4: guesses of a password by the dozen are not even one', async () => {
  const { email } = await newPerson();
  const headers = { 'x-forwarded-for': '203.0.113.77' };
  const guess = `login(input: { email: "${email}", password: "wrong" }) { __typename }`;
  const many = Array.from({ length: 20 }, (_, at) => `a${at}: ${guess}`).join(' ');
  for (let time = 0; time < 3; time++)
    expect(await ask(`mutation { ${many} }`, headers)).toContain('QUERY_TOO_COMPLEX');
  // Five are free, and they are still there.
  for (let time = 0; time < 5; time++)
    expect(await ask(`mutation { ${guess} }`, headers)).toContain('InvalidCredentials');
  expect(await ask(`mutation { ${guess} }`, headers)).toContain('RateLimited');
});

test('30: an unknown address takes as long as a wrong password, and is answered in the same words', async () => {
  const login =
    'mutation ($input: LoginInput!) { login(input: $input) { __typename ... on UserError { code message path } } }';
  const people = await Promise.all(Array.from({ length: 4 }, () => newPerson()));
  let from = 0;
  const attempt = async (email: string) => {
    from += 1;
    const began = performance.now();
    const input = { email, password: 'not the password' };
    const answer = await ask(login, { 'x-forwarded-for': `198.51.100.${from}` }, { input });
    return { answer, took: performance.now() - began };
  };
  await attempt(`nobody-${randomUUID()}@example.com`);
  const known: number[] = [];
  const unknown: number[] = [];
  for (let round = 0; round < 12; round++) {
    const wrong = await attempt(people[round % 4]!.email);
    const nobody = await attempt(`nobody-${randomUUID()}@example.com`);
    expect(wrong.answer).toContain('InvalidCredentials');
    expect(nobody.answer).toBe(wrong.answer);
    known.push(wrong.took);
    unknown.push(nobody.took);
  }
  // The quickest of each: the machine has other work as well. Without the work of a password it would be a fraction.
  const ratio = Math.min(...unknown) / Math.min(...known);
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(2);
});

test('39: a page of another origin gets no leave', async () => {
  for (const method of ['OPTIONS', 'POST']) {
    const body = method === 'POST' ? '{"query":"{ categories { id } }"}' : undefined;
    const headers = { ...accept, origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const { text } = await say(gateway.url, [bytesOf({ method, headers, ...(body && { body }) })]);
    expect(text).not.toMatch(/^access-control-allow/im);
  }
});
