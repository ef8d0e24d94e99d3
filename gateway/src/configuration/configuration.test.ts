// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how variables are written in the file
import { ConfigError } from '@orderstream/runtime/config';
import { expect, test } from 'vitest';
import { defaultLimits } from '../limits/limit.ts';
import { readConfiguration } from './reading.ts';
import { headerRulesOf, settingsOf } from './subgraph-settings.ts';

const problemsOf = (text: string, env: Record<string, string> = {}): readonly string[] => {
  try {
    readConfiguration(text, env, 'g.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  return [];
};

test.each(['', '# nothing yet\n', '{}', 'limits:\n', 'limits: {}\n'])(
  'with %j all is as by default',
  (text) => {
    const { limits, ...rest } = readConfiguration(text, {});
    expect(limits).toEqual({ ...defaultLimits, deadlineMs: 10_000, planningMs: 1_000 });
    expect(rest).toMatchObject({ listen: { host: '127.0.0.1', port: 4_000, path: '/graphql' } });
  },
);

test('every door is shut unless the file says otherwise', () => {
  expect(readConfiguration('', {})).toMatchObject({
    listen: { host: '127.0.0.1', trustsProxy: false },
    headers: { all: [], named: new Map() },
    auth: { mode: 'filter', issuers: [] },
    cors: { origins: [], credentials: false },
    introspection: { for: 'nobody' },
    contracts: [],
    developers: {},
    subgraphs: { all: { pool: { sharing: 'never' } } },
    telemetry: { tracing: { trustsClients: false } },
    persisted: { partners: [] },
  });
  expect(readConfiguration('', {}).telemetry.tracing.endpoint).toBeUndefined();
  expect(readConfiguration('', {}).redis).toBeUndefined();
});

const whole = `
# A shop's gateway.
listen:
  host: 0.0.0.0
  port: \${PORT:-4000}
  trustsProxy: true
supergraph: { file: supergraph.graphql, watch: false, planner: apollo }
subgraphs:
  all: { timeout: 3s, breaker: { open: 2s } }
  named:
    orders: { url: "unix:/run/orders.sock:/graphql", pool: { sharing: echoed } }
    stock: { url: http://stock:4100/graphql, timeout: 500ms, retry: { share: 0 }, largestAnswer: 1MiB }
headers:
  all:
    - forward: Accept-Language
      fallback: en
    - { set: X-From, value: "\${REGION}" }
  named:
    stock: [{ remove: accept-language }, { forward: x-a, as: X-B }]
auth:
  mode: refuse
  issuers:
    - issuer: https://shop.example
      keys: { url: https://shop.example/keys }
      audiences: [gateway]
      clockTolerance: 10s
      maxAge: 10m
    - { issuer: partner, keys: { file: keys.json }, audiences: [a, b], algorithms: [EdDSA], scopes: access.scopes }
limits: { depth: 20, body: 1MiB, deadline: 4s, cost: { signedIn: 9000 }, alone: [login, checkout] }
persisted:
  manifests: [web.json]
  required: true
  automatic: { enabled: false }
  partners:
    - id: acme
      key: { prefix: key_0a1b, sha256: ${'ab'.repeat(32)} }
      manifest: acme.json
      scopes: [orders:read]
      perDay: 5000
rates:
  rules:
    - { by: address, limit: 600, window: 1m }
    - { by: user, counts: cost, limit: 50000, window: 1m }
shedding: { loopDelay: 1s, classes: [{ name: extras, fields: [news] }, { name: others }] }
redis: { url: redis://redis:6379, password: "\${REDIS_PASSWORD}" }
cors: { origins: [https://shop.example], credentials: true }
introspection: scope:schema:read
developers: { scope: developer }
telemetry: { metrics: { path: /internal/metrics }, accessLog: { sample: 0.1 }, tracing: { endpoint: http://otel:4318 } }
subscriptions: { perUser: 5, keepAlive: 20s }
cache: { entities: { enabled: true, longest: 1m }, http: { longest: 10s } }
compression: { atLeast: 2KiB }
`;

test('a whole file is read into what the rooms of the gateway take', () => {
  const env = { REGION: 'eu', REDIS_PASSWORD: 'a: b # c' };
  const read = readConfiguration(whole, env);
  expect(read.listen).toMatchObject({ host: '0.0.0.0', port: 4_000, trustsProxy: true });
  expect(settingsOf(read.subgraphs, 'orders')).toMatchObject({
    url: 'unix:/run/orders.sock:/graphql',
    timeoutMs: 3_000,
    breaker: { failuresInRow: 10, openMs: 2_000 },
    pool: { connections: 64, sharing: 'echoed' },
  });
  expect(settingsOf(read.subgraphs, 'stock')).toMatchObject({
    timeoutMs: 500,
    retry: { share: 0 },
    largestAnswer: 1_048_576,
    pool: { sharing: 'never' },
  });
  expect(settingsOf(read.subgraphs, 'another')).toMatchObject({ url: null, timeoutMs: 3_000 });
  expect(headerRulesOf(read.headers, 'stock')).toEqual([
    { kind: 'forward', name: 'accept-language', as: 'accept-language', fallback: 'en' },
    { kind: 'set', name: 'x-from', value: 'eu' },
    { kind: 'remove', name: 'accept-language' },
    { kind: 'forward', name: 'x-a', as: 'x-b', fallback: null },
  ]);
  expect(read.auth).toMatchObject({ mode: 'refuse', header: 'authorization', scheme: 'Bearer' });
  expect(read.auth.issuers).toEqual([
    {
      issuer: 'https://shop.example',
      keys: { url: 'https://shop.example/keys' },
      audiences: ['gateway'],
      algorithms: ['ES256', 'EdDSA', 'RS256'],
      clockToleranceSeconds: 10,
      maxAgeSeconds: 600,
      scopesClaim: 'scope',
      policiesClaim: 'policies',
    },
    {
      issuer: 'partner',
      keys: { file: 'keys.json' },
      audiences: ['a', 'b'],
      algorithms: ['EdDSA'],
      clockToleranceSeconds: 30,
      maxAgeSeconds: null,
      scopesClaim: 'access.scopes',
      policiesClaim: 'policies',
    },
  ]);
  expect(read.limits).toMatchObject({
    depth: 20,
    tokens: 2_000,
    body: 1_048_576,
    deadlineMs: 4_000,
    cost: { anonymous: 1_000, signedIn: 9_000 },
    alone: ['login', 'checkout'],
  });
  expect(read.persisted.partners).toEqual([
    {
      id: 'acme',
      name: 'acme',
      keyPrefix: 'key_0a1b',
      keyHash: 'ab'.repeat(32),
      manifestFile: 'acme.json',
      scopes: ['orders:read'],
      perMinute: 600,
      perDay: 5_000,
      costPerMinute: null,
    },
  ]);
  expect(read.rates.rules).toEqual([
    { by: 'address', counts: 'requests', limit: 600, windowMs: 60_000 },
    { by: 'user', counts: 'cost', limit: 50_000, windowMs: 60_000 },
  ]);
  expect(read.shedding).toEqual({
    enabled: true,
    inFlight: 1_000,
    loopDelayMs: 1_000,
    classes: [
      { name: 'extras', fields: ['news'] },
      { name: 'others', fields: [] },
    ],
  });
  expect(read.redis).toEqual({ url: 'redis://redis:6379', password: 'a: b # c', prefix: 'gateway:' });
  expect(read.introspection).toEqual({ for: 'scope', scope: 'schema:read' });
  expect(read.telemetry).toMatchObject({
    metrics: { path: '/internal/metrics' },
    accessLog: { sample: 0.1 },
  });
  expect(read.subscriptions).toMatchObject({ perUser: 5, keepAlive: 20_000, waiting: 1_048_576 });
  expect(read.cache).toMatchObject({
    entities: { enabled: true, longest: 60_000 },
    http: { enabled: true, longest: 10_000 },
  });
  expect(read.compression).toEqual({ enabled: true, atLeast: 2_048 });
});

test('a secret of any characters stays what it is', () => {
  const read = readConfiguration('redis: { url: "${URL}", prefix: "${X}" }', {
    URL: 'redis://:p%23@r:1',
    X: "'}], auth: {mode: refuse} #$" + '{PORT}',
  });
  expect(read.redis).toEqual({ url: 'redis://:p%23@r:1', prefix: "'}], auth: {mode: refuse} #${PORT}" });
  expect(read.auth.mode).toBe('filter');
});

test('JSON is read as well', () => {
  expect(readConfiguration('{"limits": {"depth": 3}, "cors": {"origins": ["*"]}}', {})).toMatchObject({
    limits: { depth: 3 },
    cors: { origins: ['*'] },
  });
});

test('what stands alone for a number or a flag may come from the environment', () => {
  const text =
    'listen:\n  port: ${PORT}\n  trustsProxy: ${PROXY}\nredis: { url: "redis://r", prefix: "${PORT}" }';
  const read = readConfiguration(text, { PORT: '80', PROXY: 'true' });
  expect(read).toMatchObject({ listen: { port: 80, trustsProxy: true }, redis: { prefix: '80' } });
});

test('a ${ that is meant is written $${', () => {
  expect(readConfiguration('redis: { url: "redis://r", prefix: "$${a}$b" }', { a: 'x' }).redis?.prefix).toBe(
    '${a}$b',
  );
});

test.each<[string, string, string[]]>([
  ['an unknown key', 'limits:\n  dpeth: 3\n', ['g.yaml:2:3 limits.dpeth is not a setting']],
  ['a value without a name', 'limits: {}\n: 3\n', ["g.yaml:2:1 '' is not a setting"]],
  ['an unknown section', 'limits: {}\nlimts: {}\n', ['g.yaml:2:1 limts is not a setting']],
  [
    'unknown keys of a list',
    'auth:\n  issuers:\n    - issuer: a\n      audience: b\n      audiences: [c]\n      keys: { url: https://k }\n',
    ['g.yaml:4:7 auth.issuers[0].audience is not a setting'],
  ],
  ['a wrong number', 'limits:\n  depth: deep\n', ['g.yaml:2:3 limits.depth needs a whole number, 1 or more']],
  [
    'a number too small',
    'limits: { depth: 0 }',
    ['g.yaml:1:11 limits.depth needs a whole number, 1 or more'],
  ],
  ['a port that is none', 'listen: { port: 70000 }', ['g.yaml:1:11 listen.port needs a port, 0 to 65535']],
  [
    'a time without a unit',
    'subgraphs:\n  named:\n    orders:\n      timeout: 5\n',
    ['g.yaml:4:7 subgraphs.named.orders.timeout needs a time such as 500ms, 5s, 2m, 1h or 1d'],
  ],
  [
    'a size without a unit',
    'limits: { body: 100 }',
    ['g.yaml:1:11 limits.body needs a size such as 512B, 64KiB or 16MiB'],
  ],
  [
    'classes of which none is for the rest',
    'shedding:\n  classes: [{ name: a, fields: [b] }]\n',
    ['g.yaml:2:3 shedding.classes needs one class without fields, for all the rest'],
  ],
  [
    'a field of two classes',
    'shedding: { classes: [{ name: a, fields: [b] }, { name: c, fields: [b] }, { name: d }] }',
    ['g.yaml:1:13 shedding.classes has a field twice'],
  ],
  [
    'a contract of everything',
    'contracts: [{ name: a, path: /a }]',
    ['g.yaml:1:13 contracts[0] has everything in it: name the tags to include, or to exclude'],
  ],
  [
    'a contract at the path of the whole',
    'listen: { path: /a }\ncontracts: [{ name: a, path: /a, include: [b] }]',
    ['g.yaml:2:1 contracts has the path at which everything is served'],
  ],
  [
    'two contracts at one path',
    'contracts: [{ name: a, path: /a, include: [b] }, { name: c, path: /a, include: [b] }]',
    ['g.yaml:1:1 contracts has a path twice'],
  ],
  ['a list instead of a section', 'limits: [1]', ['g.yaml:1:1 limits needs settings below it']],
  [
    'a text instead of a flag',
    'supergraph: { watch: "yes" }',
    ['g.yaml:1:15 supergraph.watch needs true or false'],
  ],
  [
    'entities that are kept nowhere',
    'cache:\n  entities: { enabled: true }\n',
    ['g.yaml:2:3 cache.entities are kept in Redis: say where by redis.url'],
  ],
  [
    'a rule that does two things',
    'headers:\n  all:\n    - forward: a\n      remove: b\n',
    ['g.yaml:3:7 headers.all[0] needs exactly one of forward, set and remove'],
  ],
  [
    'a header of one connection',
    'headers: { all: [{ forward: Content-Length }] }',
    ['g.yaml:1:20 headers.all[0].forward is a header of one connection and is not passed on'],
  ],
  [
    'a header with a line break',
    'headers: { all: [{ set: x, value: "a\\r\\nb" }] }',
    ['g.yaml:1:28 headers.all[0].value has characters that no header may have'],
  ],
  [
    'an issuer without keys',
    'auth: { issuers: [{ issuer: a, audiences: [b], keys: {} }] }',
    ['g.yaml:1:48 auth.issuers[0].keys needs a url or a file, and not both'],
  ],
  [
    'an algorithm with a shared secret',
    'auth: { issuers: [{ issuer: a, audiences: [b], algorithms: [HS256], keys: { file: f } }] }',
    [
      expect.stringContaining(
        'auth.issuers[0].algorithms[0] needs an algorithm with a public key',
      ) as unknown as string,
    ],
  ],
  [
    'an issuer for any audience',
    'auth:\n  issuers:\n    - issuer: a\n      keys: { file: f }\n',
    ['g.yaml:3:7 auth.issuers[0].audiences needs a list and has none'],
  ],
  [
    'credentials for everybody',
    'cors: { origins: ["*"], credentials: true }',
    ['g.yaml:1:1 cors has credentials for every origin (*): name the origins'],
  ],
  [
    'an origin with a path',
    'cors: { origins: [https://a.example/] }',
    ['g.yaml:1:19 cors.origins[0] needs an origin such as https://shop.example, without a path, or *'],
  ],
  [
    'a key in plain text',
    'persisted: { partners: [{ id: a, manifest: m, key: { prefix: key_1, sha256: secret } }] }',
    ['g.yaml:1:69 persisted.partners[0].key.sha256 needs the SHA-256 of the key as 64 hexadecimal digits'],
  ],
  [
    'a safelist without a list',
    'persisted: { required: true }',
    ['g.yaml:1:1 persisted required without manifests would refuse everything'],
  ],
  [
    'a secret that is not set',
    'redis:\n  url: "${REDIS_URL}"\n',
    ['g.yaml:2:8 the environment has no REDIS_URL'],
  ],
  ['something else than settings', '- a', ['g.yaml:1:1 the file needs settings: names with values']],
  ['a key twice', 'limits: {}\nlimits: {}\n', ['g.yaml:2:1 Map keys must be unique']],
  ['no YAML', 'limits: {depth: 3', [expect.stringMatching(/^g\.yaml:1:1\d /) as unknown as string]],
])('%s is told with its place', (_what, text, problems) => {
  expect(problemsOf(text)).toEqual(problems);
});

test('everything that is wrong is told at once, in the order of the file', () => {
  const text = 'limits:\n  depth: x\n  nope: 1\ncors:\n  origins: all\nredis: { url: "${A}${B}" }\n';
  expect(problemsOf(text)).toEqual([
    'g.yaml:2:3 limits.depth needs a whole number, 1 or more',
    'g.yaml:3:3 limits.nope is not a setting',
    'g.yaml:5:3 cors.origins needs a list of origins',
    'g.yaml:6:15 the environment has no A',
    'g.yaml:6:15 the environment has no B',
  ]);
});

test('a file that multiplies itself by anchors is refused', () => {
  const bomb = Array.from({ length: 9 }, (_, i) => `a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`);
  bomb[0] = 'a0: &a0 [x,x,x,x,x,x,x,x,x]';
  const began = performance.now();
  expect(problemsOf(bomb.join('\n')).join()).toContain('alias');
  expect(performance.now() - began).toBeLessThan(1_000);
});
