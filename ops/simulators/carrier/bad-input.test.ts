import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LONG_DAY, label, openCarrier } from './test-sender.ts';

let carrier: Awaited<ReturnType<typeof openCarrier>>;
beforeAll(async () => {
  carrier = await openCarrier(LONG_DAY);
});
afterAll(() => carrier.close());

type Failure = { error: { code: string; message: string } };

const post = async (body: unknown, headers: Record<string, string> = { 'idempotency-key': 'key' }) => {
  const answer = await carrier.ask<Failure>('POST', '/v1/shipments', body, headers);
  return [answer.status, answer.body.error.code, answer.body.error.message] as const;
};

const parcels = async () =>
  (await carrier.ask<{ shipments: object[] }>('GET', '/control/book')).body.shipments.length;

const { destination, origin, ...rest } = label('ord-1');

test.each<[string, unknown, number, string, RegExp]>([
  ['a body that is no JSON', '{"reference":', 400, 'invalid_json', /not JSON/],
  [
    'a body of a megabyte',
    JSON.stringify({ reference: 'x'.repeat(1 << 20) }),
    413,
    'body_too_large',
    /65536/,
  ],
  ['no body', undefined, 400, 'invalid_request', /body/],
  ['a list', [], 400, 'invalid_request', /body/],
  ['no reference', { ...label('x'), reference: undefined }, 400, 'invalid_request', /^reference/],
  ['no destination', { ...rest, origin }, 400, 'invalid_request', /^destination/],
  ['no street', addressed({ line1: undefined }), 400, 'invalid_request', /^destination.line1/],
  ['an empty name', addressed({ recipient: ' ' }), 400, 'invalid_request', /^destination.recipient/],
  [
    'a country of three letters',
    addressed({ country: 'GBR' }),
    400,
    'invalid_request',
    /^destination.country/,
  ],
  ['no pieces', { ...label('x'), pieces: 0 }, 400, 'invalid_request', /^pieces/],
  ['half a piece', { ...label('x'), pieces: 1.5 }, 400, 'invalid_request', /^pieces/],
  [
    'a point beyond the pole',
    { ...label('x'), origin: { ...origin, latitude: 91 } },
    400,
    'invalid_request',
    /^origin.latitude/,
  ],
  ['a postcode of nowhere', addressed({ postcode: 'ZZ1 1ZZ' }), 422, 'address_not_serviceable', /./],
  ['a country without roads', addressed({ country: 'AQ' }), 422, 'address_not_serviceable', /./],
  ['a country called after a method', addressed({ country: 'to' }), 422, 'address_not_serviceable', /./],
])('%s gets no label and says why', async (_name, body, status, code, message) => {
  const before = await parcels();
  expect(await post(body)).toEqual([status, code, expect.stringMatching(message)]);
  expect(await parcels()).toBe(before);
});

function addressed(fields: object) {
  return { ...label('x'), destination: { ...destination, ...fields } };
}

test('a label needs a key, and JSON that says so', async () => {
  expect((await post(label('x'), {})).slice(0, 2)).toEqual([400, 'idempotency_key_missing']);
  const long = { 'idempotency-key': 'k'.repeat(256) };
  expect((await post(label('x'), long)).slice(0, 2)).toEqual([400, 'idempotency_key_missing']);
  const plain = { 'idempotency-key': 'k', 'content-type': 'text/plain' };
  expect((await post(label('x'), plain)).slice(0, 2)).toEqual([400, 'invalid_request']);
});

test.each([
  ['GET', '/v1/tracking/SP000000000GB', 404, 'unknown_tracking_number'],
  ['GET', '/v1/shipments/cs_nobody', 404, 'unknown_shipment'],
  ['POST', '/v1/shipments/cs_nobody/cancel', 404, 'unknown_shipment'],
  ['POST', '/v1/shipments/cs_nobody/forget', 404, 'unknown_shipment'],
  ['POST', '/v1/shipments/cs_nobody/burn', 404, 'not_found'],
  ['GET', '/v1/shipments', 400, 'invalid_request'],
  ['DELETE', '/v1/shipments/cs_nobody', 404, 'not_found'],
  ['GET', '/v2/shipments', 404, 'not_found'],
  ['GET', '/%E0%A4%A', 400, 'invalid_request'],
  ['POST', '/control/shipments/nobody/lose', 404, 'unknown_shipment'],
  ['POST', '/control/events/evt_nobody/deliver', 404, 'unknown_event'],
  ['GET', '/control/book?after=-1', 400, 'invalid_request'],
])('%s %s is answered %i %s', async (method, path, status, code) => {
  const answer = await carrier.ask<Failure>(method, path);
  expect([answer.status, answer.body.error.code]).toEqual([status, code]);
});

test.each([[''], ['Bearer wrong'], ['Basic key_simulated']])(
  'nobody is served with "%s"',
  async (authorization) => {
    const answer = await carrier.ask<Failure>('POST', '/v1/shipments', label('x'), {
      authorization,
      'idempotency-key': 'k',
    });
    expect([answer.status, answer.body.error.code]).toEqual([401, 'unauthorized']);
  },
);

test.each([
  [{ earthquake: true }],
  [{ failLabels: { times: 1 } }],
  [{ failLabels: -1 }],
  [{ serverError: { count: 1, value: 200 } }],
  [{ webhooks: { lose: true } }],
])('the switch %j does not exist and sets nothing', async (body) => {
  await expect(carrier.faults(body)).rejects.toThrow(/400.*invalid_request/);
  expect((await carrier.ask('GET', '/control/faults')).body).toEqual({ faults: [] });
});

test('switches are listed and cleared', async () => {
  await carrier.faults({ slowMs: 1, serverError: 2, webhooks: { hold: true, reorder: true } });
  expect((await carrier.faults({ webhooks: { hold: false } })).faults).toMatchObject([
    { name: 'serverError', value: 500, remaining: 2 },
    { name: 'slowMs', value: 1, remaining: null },
    { name: 'webhooks.reorder' },
  ]);
  expect(await carrier.faults({ clear: true })).toEqual({ faults: [] });
});

test('a forgotten address is nowhere in the files of the book', async () => {
  const secret = 'Zebedee Quillfeather';
  const request = { ...label('ord-forget'), destination: { ...destination, recipient: secret } };
  const { id } = await carrier.labelled('ord-forget', request);
  const files = () =>
    ['', '-wal'].map((end) => readFileSync(`${carrier.dataFile}${end}`, 'latin1')).join('\n');
  expect(files()).toContain(secret);
  const forgotten = await carrier.ask('POST', `/v1/shipments/${id}/forget`);
  expect(forgotten).toMatchObject({ status: 200, body: { id, status: 'label_created' } });
  expect((await carrier.ask('POST', `/v1/shipments/${id}/forget`)).body).toEqual(forgotten.body);
  expect(files()).not.toContain(secret);
  expect(await carrier.send(request, 'ord-forget')).toMatchObject({
    status: 201,
    isReplay: true,
    body: { id },
  });
  const { body } = await carrier.ask<{ shipments: object[] }>('GET', '/control/book');
  expect(body.shipments).toContainEqual(expect.objectContaining({ id, forgotten: true }));
});

test('the book is read page by page', async () => {
  for (const name of ['a', 'b', 'c']) await carrier.labelled(`page-${name}`);
  type Page = { shipments: { reference: string }[]; next: number; hasMore: boolean };
  const seen: string[] = [];
  let page: Page = { shipments: [], next: 0, hasMore: true };
  while (page.hasMore) {
    page = (await carrier.ask<Page>('GET', `/control/book?after=${page.next}&limit=2`)).body;
    seen.push(...page.shipments.map(({ reference }) => reference));
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.slice(-3)).toEqual(['page-a', 'page-b', 'page-c']);
});
