// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how variables are written in the file
import { readFileSync } from 'node:fs';
import { ConfigError } from '@orderstream/runtime/config';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readConfiguration } from './reading.ts';

const example = readFileSync(new URL('../../gateway.example.yaml', import.meta.url), 'utf8');

test('the example says what holds by default', () => {
  expect(readConfiguration(example, {})).toEqual(readConfiguration('', {}));
});

test('what the example leaves as comments is right, too', () => {
  const bare = example
    .replace(/^( *)# {2,3}(.*)$/gm, '$1  $2')
    .replace(/^( *)# ((?:unix|file|redis|endpoint):)/gm, '$1$2')
    .replace(
      /(named: \{\}|all: \[\]|issuers: \[\]|partners: \[\]|rules: \[\]|contracts: \[\]|classes: \[\]).*$/gm,
      (all) => all.split(' ')[0]!,
    )
    .replace(/ {2,}(or|instead|nothing|whatever) .*$/gm, '')
    .replace('sha256: … }   of the whole key, which nobody keeps', `sha256: ${'ab'.repeat(32)} }`);
  const read = readConfiguration(bare, { REGION: 'eu', REDIS_PASSWORD: 'secret' });
  expect(read.listen.unix).toBe('/run/gateway.sock');
  expect([...read.subgraphs.named.keys()]).toEqual(['orders']);
  expect(read.headers.all).toHaveLength(3);
  expect(read.auth.issuers[0]).toMatchObject({
    keys: { url: 'https://shop.example/jwks' },
    maxAgeSeconds: 600,
  });
  expect(read.persisted.partners[0]).toMatchObject({ id: 'acme', costPerMinute: 50_000 });
  expect(read.rates.rules).toHaveLength(2);
  expect(read.shedding.classes.map(({ name }) => name)).toEqual(['recommendations', 'browsing', 'buying']);
  expect(read.contracts).toEqual([
    {
      name: 'partner',
      path: '/partner/graphql',
      include: ['partner'],
      exclude: [],
      introspection: { for: 'signedIn' },
    },
  ]);
  expect(read.redis?.password).toBe('secret');
  expect(read.telemetry.tracing.endpoint).toBe('http://127.0.0.1:4318');
});

test('whatever becomes of a file, it is read or told what is wrong with it', () => {
  const piece = fc.constantFrom(
    '',
    ':',
    '- ',
    '{',
    '[',
    '"',
    '&a ',
    '*a',
    '!!x ',
    '${',
    '${A}',
    '\t',
    '\n',
    '__proto__: 1',
    '<<: *a',
    '\0',
  );
  fc.assert(
    fc.property(fc.nat(example.length), fc.nat(40), piece, (from, length, put) => {
      const broken = example.slice(0, from) + put + example.slice(from + length);
      try {
        readConfiguration(broken, {});
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        for (const problem of (error as ConfigError).problems)
          expect(problem).toMatch(/^gateway\.yaml:\d+:\d+ \S/);
      }
    }),
    { numRuns: 200 },
  );
});
