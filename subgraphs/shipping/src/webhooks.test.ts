import { newId } from '@orderstream/runtime/ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Depot, openDepot, secrets, signatureOf } from './test-depot.ts';

let depot: Depot;

beforeAll(async () => {
  depot = await openDepot();
});
afterAll(() => depot.close());

const nowSeconds = () => Math.floor(Date.now() / 1000);

const eventBody = (type = 'tracking.updated', reference: string = newId()) =>
  JSON.stringify({
    id: `evt_${newId()}`,
    type,
    created_at: new Date().toISOString(),
    shipment: {
      id: 'cs_x',
      reference,
      tracking_number: 'SP0',
      status: 'collected',
      estimated_delivery: null,
    },
    event: { sequence: 2, status: 'collected', at: new Date().toISOString(), place: 'Leeds' },
  });

const outcomeOf = async (body: string): Promise<string | null | undefined> => {
  const [row] = await depot.database.sql<{ outcome: string | null }>`
    select outcome from webhook_event where event_id = ${JSON.parse(body).id}`;
  return row?.outcome;
};

const untilOutcome = (body: string, outcome: string) =>
  depot.until(async () => (await outcomeOf(body)) === outcome);

describe('the signature', () => {
  const body = eventBody();

  test.each<[string, string, string | undefined, number]>([
    ['missing', body, undefined, 400],
    ['empty', body, '', 401],
    ['nonsense', body, 'hello', 401],
    ['without a time', body, signatureOf(body).replace(/^t=\d+,/, ''), 401],
    ['with two times', body, `t=1,${signatureOf(body)}`, 401],
    ['shortened', body, signatureOf(body).slice(0, -2), 401],
    ['made with another secret', body, signatureOf(body, 'somebody else'), 401],
    ['ten minutes old', body, signatureOf(body, secrets[0], nowSeconds() - 600), 401],
    ['ten minutes in the future', body, signatureOf(body, secrets[0], nowSeconds() + 600), 401],
    ['of another body by one byte', body.replace('Leeds', 'Leedz'), signatureOf(body), 401],
    ['of something that is not an event', 'null', signatureOf('null'), 400],
    ['of something that is not JSON', 'a=b', signatureOf('a=b'), 400],
    ['of an event without a name', '{"type":"x"}', signatureOf('{"type":"x"}'), 400],
  ])('%s is refused and nothing is written down', async (_, given, signature, status) => {
    const [before] = await depot.database.sql`select count(*) as n from webhook_event`;
    expect(await depot.post(given, signature)).toBe(status);
    expect(await depot.database.sql`select count(*) as n from webhook_event`).toEqual([before]);
  });

  test.each<[string, (text: string) => string]>([
    ['four minutes old', (text) => signatureOf(text, secrets[0], nowSeconds() - 240)],
    ['by the secret that is being replaced', (text) => signatureOf(text, secrets[1])],
    [
      'right beside a wrong one',
      (text) => {
        const at = nowSeconds();
        const [, right] = signatureOf(text, secrets[0], at).split(',');
        return `${signatureOf(text, 'else', at)},${right}`;
      },
    ],
  ])('%s is accepted', async (_, headerOf) => {
    const text = eventBody();
    expect(await depot.post(text, headerOf(text))).toBe(200);
    expect(await outcomeOf(text)).toBeNull();
  });
});

describe('what an event does', () => {
  const deliver = (body: string) => depot.post(body, signatureOf(body));

  /** The carrier's own events about an order's parcel, as it would send them, oldest first. */
  const eventsOf = async (orderId: string): Promise<string[]> => {
    const { id } = await depot.shipment(orderId);
    const { shipments } = await depot.control<{ shipments: Record<string, unknown>[] }>('book?limit=1000');
    const { events, ...parcel } = shipments.find(({ reference }) => reference === id)!;
    const { reference, tracking_number, status, estimated_delivery } = parcel;
    const about = { id: parcel.id, reference, tracking_number, status, estimated_delivery };
    return (events as object[]).map((event) =>
      JSON.stringify({ id: `evt_${newId()}`, type: 'tracking.updated', shipment: about, event }),
    );
  };

  /** A parcel that has arrived, and nobody has told us. */
  const arrived = async () => {
    await depot.faults({ webhooks: { hold: true } });
    const orderId = await depot.labelled();
    await depot.control(`shipments/${(await depot.shipment(orderId)).id}/deliver`, {});
    await depot.faults({ webhooks: { hold: false } });
    return { orderId, events: await eventsOf(orderId) };
  };
  const all = ['shipment.created', 'shipment.handed-over', 'shipment.delivered'];

  test('of another type, or about a parcel that is not ours, is stored and ignored', async () => {
    const bodies = [eventBody('invoice.made'), eventBody(), eventBody('tracking.updated', 'somebody-elses')];
    for (const body of bodies) expect(await deliver(body)).toBe(200);
    for (const body of bodies) await untilOutcome(body, 'IGNORED');
  });

  test('that names our parcel and another of the carrier’s is ignored', async () => {
    const orderId = await depot.labelled();
    const body = eventBody('tracking.updated', (await depot.shipment(orderId)).id);
    expect(await deliver(body)).toBe(200);
    await untilOutcome(body, 'IGNORED');
    expect((await depot.shipment(orderId)).state).toBe('LABELLED');
  });

  test('three times at once is one effect', async () => {
    const { orderId, events } = await arrived();
    const [collected] = events;
    expect(await Promise.all([1, 2, 3].map(() => deliver(collected!)))).toEqual([200, 200, 200]);
    await depot.untilState(orderId, 'IN_TRANSIT');
    expect(await deliver(collected!)).toBe(200);
    await depot.work();
    expect((await depot.types(orderId)).filter((type) => type === 'shipment.handed-over')).toHaveLength(1);
  });

  test('that comes before those ahead of it brings them along; they are old news then', async () => {
    const { orderId, events } = await arrived();
    const newestFirst = events.toReversed();
    await deliver(newestFirst[0]!);
    await depot.untilState(orderId, 'DELIVERED');
    for (const body of newestFirst) await deliver(body);
    await untilOutcome(events[0]!, 'OLD_NEWS');
    await depot.until(async () => (await depot.work()) === 0);
    expect(await depot.types(orderId)).toEqual(all);
    const scans = await depot.database.sql<{ sequence: number }>`
      select e.sequence from tracking_event e join shipment s on s.id = e.shipment_id
      where s.order_id = ${orderId} order by 1`;
    expect(scans.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  });

  test('is read again later where the carrier does not say what is missing', async () => {
    const { orderId, events } = await arrived();
    await depot.faults({ serverError: { count: 1 } });
    const last = events.at(-1)!;
    await deliver(last);
    await depot.work();
    expect(await outcomeOf(last)).toBeNull();
    await depot.untilState(orderId, 'DELIVERED');
    expect(await outcomeOf(last)).toBe('APPLIED');
    expect(await depot.types(orderId)).toEqual(all);
  });

  describe('in one lot with others', () => {
    const callOf = (body: string) => {
      const { id, type, shipment } = JSON.parse(body);
      return { id, type, reference: shipment.reference, body };
    };
    const take = (body: string) => depot.calls.take(callOf(body));
    const several = async (parcels: number) => {
      const all: Awaited<ReturnType<typeof arrived>>[] = [];
      for (let one = 0; one < parcels; one++) all.push(await arrived());
      return all;
    };

    test('costs no more statements than alone', async () => {
      const parcels = await several(6);
      const costs: number[] = [];
      for (const lot of [parcels.slice(0, 1), parcels.slice(1)]) {
        const before = depot.database.statements();
        await Promise.all(lot.map(({ events }) => take(events[0]!)));
        costs.push(depot.database.statements() - before);
      }
      expect(costs).toEqual([5, 5]);
      for (const { orderId, events } of parcels) {
        expect(await outcomeOf(events[0]!)).toBe('APPLIED');
        expect((await depot.shipment(orderId)).last_sequence).toBe(1);
      }
    });

    test('and after the scan before it is understood as well, and each is told in its turn', async () => {
      const { orderId, events } = await arrived();
      await Promise.all(events.map(take));
      for (const body of events) expect(await outcomeOf(body)).toBe('APPLIED');
      expect((await depot.shipment(orderId)).state).toBe('DELIVERED');
      expect(await depot.types(orderId)).toEqual(all);
      const versions = (await depot.told(orderId)).map(({ version }) => version!);
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
      expect(new Set(versions).size).toBe(versions.length);
      const [scans] = await depot.database.sql`
        select count(*) as n from tracking_event where shipment_id = ${(await depot.shipment(orderId)).id}`;
      expect(scans).toEqual({ n: events.length });
    });

    test('and ahead of the scan before it is read later, and nothing is told twice', async () => {
      const { orderId, events } = await arrived();
      await Promise.all(events.toReversed().map(take));
      expect(await outcomeOf(events[0]!)).toBe('APPLIED');
      expect(await outcomeOf(events.at(-1)!)).toBeNull();
      await depot.untilState(orderId, 'DELIVERED');
      await depot.until(async () => (await depot.work()) === 0);
      expect(await depot.types(orderId)).toEqual(all);
    });

    test('and with a copy of itself, and the same scan under another name, is one effect', async () => {
      const { orderId, events } = await arrived();
      const renamed = JSON.stringify({ ...JSON.parse(events[0]!), id: `evt_${newId()}` });
      await Promise.all([events[0]!, events[0]!, renamed, events[1]!, events[1]!].map(take));
      expect(await outcomeOf(renamed)).toBe('OLD_NEWS');
      expect((await depot.shipment(orderId)).last_sequence).toBe(2);
      expect((await depot.types(orderId)).filter((type) => type === 'shipment.handed-over')).toHaveLength(1);
    });

    test('is written down also where one of them cannot be, who alone is told so', async () => {
      const parcels = await several(3);
      const spoilt = eventBody('a\u0000b');
      const good = parcels.map(({ events }) => events[0]!);
      const answers = await Promise.all([good[0]!, spoilt, good[1]!, good[2]!].map(deliver));
      expect(answers).toEqual([200, 500, 200, 200]);
      for (const body of good) expect(await outcomeOf(body)).toBe('APPLIED');
      expect(await outcomeOf(spoilt)).toBeUndefined();

      const next = parcels.map(({ events }) => events[1]!);
      const outcomes = await Promise.allSettled([take(next[0]!), take(spoilt), ...next.slice(1).map(take)]);
      expect(outcomes.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
      ]);
      for (const body of next) expect(await outcomeOf(body)).toBe('APPLIED');
    });

    test('is understood also where one of them cannot be, which is read later', async () => {
      const [good, bad] = await several(2);
      const reference = (await depot.shipment(bad!.orderId)).id;
      await depot.database.pool.query(
        `alter table tracking_event add constraint refused check (shipment_id <> '${reference}')`,
      );
      try {
        await Promise.all([take(good!.events[0]!), take(bad!.events[0]!)]);
        expect(await outcomeOf(good!.events[0]!)).toBe('APPLIED');
        expect(await outcomeOf(bad!.events[0]!)).toBeNull();
        expect((await depot.shipment(bad!.orderId)).last_sequence).toBe(0);
      } finally {
        await depot.database.sql`alter table tracking_event drop constraint refused`;
      }
      await untilOutcome(bad!.events[0]!, 'APPLIED');
    });
  });

  test('bad signatures, old times and copies do not keep the carrier from being heard once', async () => {
    const orderId = await depot.labelled();
    const { id: reference } = await depot.shipment(orderId);
    const match = { reference };
    await depot.faults({
      webhooks: {
        badSignature: { count: 1, match },
        oldTimestamp: { count: 1, match },
        duplicate: { count: 2, match },
      },
    });
    await depot.control(`shipments/${reference}/deliver`, {});
    await depot.untilState(orderId, 'DELIVERED');
    await depot.until(async () => (await depot.work()) === 0);
    expect(await depot.types(orderId)).toEqual(all);
  });
});
