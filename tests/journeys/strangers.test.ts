// Who comes to the subgraphs' own doors: only the gateway and the payment provider are let in.
import { newId } from '@orderstream/runtime/ids';
import { sign, signatureHeader, signingKey, viewerHeader } from '@orderstream/runtime/signature';
import { anonymous } from '@orderstream/runtime/viewer';
import { expect, inject, test, vi } from 'vitest';
import { bookOf, shelf } from './books.ts';
import { buy, newCustomer, settled } from './customer.ts';
import { chargesFor, deliver, eventsOf } from './provider.ts';
import { codes, postTo, told } from './wire.ts';

const { subgraphsUrl, secrets } = inject('product');

const subgraphs = [
  'users',
  'catalog',
  'inventory',
  'orders',
  'payments',
  'recommendations',
  'shipping',
  'notifications',
  'fraud',
] as const;
const inside = JSON.stringify({ query: '{ _service { sdl } }' });
const viewer = anonymous('01900000-0000-7000-8000-000000000001');
const everything = { ...viewer, userId: newId(), scopes: new Set(['orders:read', 'users:read']) };

test.each(subgraphs)(
  '%s answers the gateway alone, whatever is asked and whoever is claimed',
  async (name) => {
    const path = `/${name}/graphql`;
    const key = signingKey(secrets.gateway);
    const now = Date.now();
    const by = ({ viewer: of, signature }: { viewer: string; signature: string }) => ({
      [viewerHeader]: of,
      [signatureHeader]: signature,
    });
    const genuine = sign(key, 'POST', path, viewer, inside, new Date());
    const entities = JSON.stringify({ query: '{ _entities(representations: []) { __typename } }' });
    const attempts: [string, string, Record<string, string>][] = [
      ['no signature', inside, {}],
      ['no signature, for entities', entities, {}],
      [
        'a viewer made up',
        inside,
        { [viewerHeader]: sign(key, 'POST', path, everything, inside, new Date()).viewer },
      ],
      [
        'the signature of another viewer',
        inside,
        { ...by(genuine), [viewerHeader]: sign(key, 'POST', path, everything, inside, new Date()).viewer },
      ],
      ['the signature of another body', entities, by(genuine)],
      [
        'the signature of another door',
        inside,
        by(sign(key, 'POST', '/nobody/graphql', viewer, inside, new Date())),
      ],
      [
        'another secret',
        inside,
        by(sign(signingKey('x'.repeat(40)), 'POST', path, viewer, inside, new Date())),
      ],
      [
        'a signature of a minute ago',
        inside,
        by(sign(key, 'POST', path, viewer, inside, new Date(now - 60_000))),
      ],
      [
        'a signature of in a minute',
        inside,
        by(sign(key, 'POST', path, viewer, inside, new Date(now + 60_000))),
      ],
    ];
    for (const [what, body, headers] of attempts) {
      const answer = await postTo(`${subgraphsUrl}${path}`, body, headers);
      expect([what, answer.status, codes(answer)]).toEqual([what, 401, ['UNAUTHENTICATED']]);
    }
    const headers = { 'content-type': 'application/json', ...by(genuine) };
    expect((await fetch(`${subgraphsUrl}${path}`, { method: 'POST', headers, body: inside })).status).toBe(
      200,
    );
  },
);

const webhook = `${subgraphsUrl}/payments/webhooks/stripe`;

test('a webhook counts with a right and fresh signature only, and then once', async () => {
  const [customer, goods] = await Promise.all([newCustomer(), shelf(6)]);
  const { id } = await buy(customer, goods[0]!);
  const delivered = await settled(customer, id);
  const [charge] = await chargesFor(id);
  const [event] = (await eventsOf(charge!)) as [{ id: string }];
  const rows = () => bookOf('payments')<{ processed_at: Date | null }>`
    select processed_at from webhook_event where event_id = ${event.id}`;
  await vi.waitFor(async () => expect(await rows()).toEqual([{ processed_at: expect.any(Date) }]), 5_000);
  const before = await rows();

  expect(await deliver(event.id, { badSignature: true })).toEqual([401]);
  expect(await deliver(event.id, { ageSeconds: 3_600 })).toEqual([401]);
  const other = JSON.stringify(event).replace(event.id, 'evt_made_up');
  expect(codes(await postTo(webhook, other))).toEqual(['BAD_USER_INPUT']);
  expect(codes(await postTo(webhook, other, { 'stripe-signature': 't=1,v1=abc' }))).toEqual([
    'UNAUTHENTICATED',
  ]);
  expect(codes(await postTo(webhook, 'x'.repeat(100_000)))).toEqual(['PAYLOAD_TOO_LARGE']);
  expect(await deliver(event.id, { times: 3 })).toEqual([200, 200, 200]);

  expect(await rows()).toEqual(before);
  expect(await bookOf('payments')`select from webhook_event where event_id = 'evt_made_up'`).toEqual([]);
  const { version, status, payments } = delivered;
  expect(await settled(customer, id)).toMatchObject({ version, status, payments });
});

test.each([
  ['GET', '/payments/webhooks/stripe', 404],
  ['POST', '/payments/webhooks/other', 404],
  ['GET', '/orders/graphql', 404],
  ['POST', '/nobody/graphql', 404],
  ['GET', '/../../etc/passwd', 404],
])('%s %s at the subgraphs leads nowhere', async (method, path, status) => {
  const answer = await told(await fetch(`${subgraphsUrl}${path}`, { method }));
  expect([answer.status, codes(answer)]).toEqual([status, ['NOT_FOUND']]);
});
