import { anonymous } from '@orderstream/runtime/viewer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  learn,
  mayRead,
  neverMade,
  refuse,
  requestCancel,
  requestLabel,
  type ScanStatus,
  type Seen,
  type Shipment,
  type Step,
  type TrackingEvent,
} from './shipment.ts';
import { origin, tenantId } from './test-depot.ts';

const at = (minutes: number): Date => new Date(Date.UTC(2026, 10, 21, 8, minutes));
const label = { carrier: 'Simulated Parcel', carrierId: 'cs_1', trackingNumber: 'SP1GB', at: at(0) };

const asked: Shipment = {
  id: '01900000-0000-7000-8000-000000000010',
  tenantId,
  orderId: '01900000-0000-7000-8000-000000000011',
  customerId: '01900000-0000-7000-8000-000000000012',
  state: 'PENDING',
  wanted: 'LABEL',
  attempt: 1,
  parcel: 1,
  pieces: 1,
  origin,
  address: null,
  label: null,
  failureReason: null,
  estimatedDelivery: null,
  lastSequence: 0,
  handedOverAt: null,
  deliveredAt: null,
  promisedAt: null,
  calledAt: at(0),
  erasedAt: null,
  traceparent: '',
  version: 1,
};

const journey = (...statuses: ScanStatus[]): TrackingEvent[] =>
  statuses.map((status, index) => ({
    sequence: index + 1,
    status,
    at: at(index),
    place: 'Leeds',
    point: null,
  }));

const seen = (events: readonly TrackingEvent[], more: Partial<Seen> = {}): Seen => ({
  label,
  reference: asked.id,
  isCancelled: events.at(-1)?.status === 'CANCELLED',
  estimatedDelivery: at(60),
  events,
  ...more,
});

const toldBy = (...steps: Step[]): string[] => steps.flatMap(({ tell }) => tell.map((one) => one.tell.type));

const whole = journey('LABELLED', 'COLLECTED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'DELIVERED');

describe('what the carrier says', () => {
  test('a label answers the order, and its first estimate is the promise', () => {
    const step = learn(asked, seen(journey('LABELLED')));
    expect(toldBy(step)).toEqual(['created']);
    expect(step.shipment).toMatchObject({ state: 'LABELLED', wanted: null, label, promisedAt: at(60) });
    const later = learn(step.shipment, seen(whole.slice(0, 2), { estimatedDelivery: at(90) }));
    expect(later.shipment).toMatchObject({ promisedAt: at(60), estimatedDelivery: at(90) });
  });

  test('the whole way at once tells each thing once, in order, each with a version of its own', () => {
    const step = learn(asked, seen(whole));
    expect(toldBy(step)).toEqual(['created', 'handed-over', 'moved', 'moved', 'delivered']);
    const versions = step.tell.map(({ version }) => version);
    expect(new Set(versions).size).toBe(5);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(step.shipment).toMatchObject({ state: 'DELIVERED', handedOverAt: at(1), deliveredAt: at(4) });
    expect(step.events).toHaveLength(5);
  });

  test.each<[string, Partial<Seen>]>([
    ['of another parcel of ours', { reference: asked.orderId }],
    ['of another parcel of the carrier’s', { label: { ...label, carrierId: 'cs_2' } }],
  ])('news %s change nothing', (_, other) => {
    const { shipment } = learn(asked, seen(whole.slice(0, 1)));
    expect(learn(shipment, seen(whole, other)).shipment).toBe(shipment);
  });

  test('a delivery whose collection was never scanned is still handed over first', () => {
    const step = learn(asked, seen(journey('LABELLED', 'DELIVERED')));
    expect(toldBy(step)).toEqual(['created', 'handed-over', 'delivered']);
  });

  test('a lost parcel is lost once, and nothing moves it afterwards', () => {
    const step = learn(asked, seen(journey('LABELLED', 'COLLECTED', 'LOST', 'DELIVERED')));
    expect(toldBy(step)).toEqual(['created', 'handed-over', 'lost']);
    expect(step.shipment.state).toBe('LOST');
  });

  test('scans after a gap wait for what is missing', () => {
    const { shipment } = learn(asked, seen(whole.slice(0, 1)));
    const gap = learn(shipment, seen(whole.slice(3, 4)));
    expect(gap.shipment).toBe(shipment);
    expect(toldBy(learn(shipment, seen(whole)))).toEqual(['handed-over', 'moved', 'moved', 'delivered']);
  });

  test('a refusal is told once, and is no word about a label that is there', () => {
    const step = refuse(asked, 'no such street');
    expect(toldBy(step, refuse(step.shipment, 'again'))).toEqual(['failed']);
    const labelled = learn(asked, seen(whole.slice(0, 1))).shipment;
    expect(refuse(labelled, 'late').shipment).toBe(labelled);
  });

  test('whatever is heard, however often and in whatever order, ends where the carrier’s book stands', () => {
    const ways = fc.constantFrom(
      whole,
      journey('LABELLED', 'COLLECTED', 'EXCEPTION', 'IN_TRANSIT', 'LOST'),
      journey('LABELLED', 'CANCELLED'),
      journey('LABELLED', 'IN_TRANSIT', 'DELIVERED'),
    );
    const cuts = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.boolean()), { maxLength: 12 });
    fc.assert(
      fc.property(ways, cuts, (way, heard) => {
        const steps: Step[] = [];
        let now = asked;
        const hear = (events: readonly TrackingEvent[]) => {
          if (events.length === 0) return;
          const step = learn(now, seen(events));
          expect(step.shipment.version).toBeGreaterThanOrEqual(now.version);
          steps.push(step);
          now = step.shipment;
        };
        // Single scans as webhooks bring them, and pictures of some moment.
        for (const [n, isSingle] of heard)
          hear(isSingle && now.label ? way.slice(n, n + 1) : way.slice(0, n));
        hear(way);
        expect(toldBy(...steps)).toEqual(toldBy(learn(asked, seen(way))));
        expect(now).toEqual({ ...learn(asked, seen(way)).shipment, version: now.version });
        expect(steps.flatMap(({ events }) => events)).toEqual(way);
      }),
    );
  });
});

describe('what the order asks', () => {
  test('asking twice makes one label; after a refusal it is another attempt', () => {
    expect(requestLabel(asked).shipment).toBe(asked);
    const failed = refuse(asked, 'no').shipment;
    expect(requestLabel(failed).shipment).toMatchObject({ state: 'PENDING', wanted: 'LABEL', attempt: 2 });
    const labelled = learn(asked, seen(whole.slice(0, 1))).shipment;
    expect(toldBy(requestLabel(labelled))).toEqual(['created']);
    expect(requestLabel(labelled).shipment).toBe(labelled);
  });

  test('what the carrier was never asked for is cancelled at once', () => {
    const step = requestCancel({ ...asked, calledAt: null });
    expect(toldBy(step)).toEqual(['cancelled']);
    expect(toldBy(requestCancel(step.shipment), requestLabel(step.shipment))).toEqual([
      'cancelled',
      'cancelled',
    ]);
  });

  test('what the carrier may know of needs its word', () => {
    const wanted = requestCancel(asked);
    expect(toldBy(wanted)).toEqual([]);
    expect(wanted.shipment.wanted).toBe('CANCEL');
    expect(toldBy(requestCancel(wanted.shipment), requestLabel(wanted.shipment))).toEqual([]);
    expect(toldBy(neverMade(wanted.shipment))).toEqual(['cancelled']);
    const found = learn(wanted.shipment, seen(whole.slice(0, 1)));
    expect(found.shipment.wanted).toBe('CANCEL');
    expect(toldBy(found)).toEqual([]);
    expect(neverMade(found.shipment).shipment).toBe(found.shipment);
    expect(toldBy(learn(found.shipment, seen(journey('LABELLED', 'CANCELLED'))))).toEqual(['cancelled']);
  });

  test('a parcel that is cancelled while it is collected is either, never both', () => {
    const wanted = requestCancel(learn(asked, seen(whole.slice(0, 1))).shipment).shipment;
    const collected = learn(wanted, seen(whole.slice(0, 2)));
    expect(toldBy(collected)).toEqual(['handed-over']);
    expect(collected.shipment.wanted).toBeNull();
    expect(toldBy(requestCancel(collected.shipment))).toEqual([]);
    expect(toldBy(learn(collected.shipment, seen([], { isCancelled: true })))).toEqual([]);
  });

  test('a label that turns up after the order was told that there is none is let go of', () => {
    const gone = neverMade(requestCancel(asked).shipment).shipment;
    const late = learn(gone, seen(whole.slice(0, 1)));
    expect(late.shipment).toMatchObject({ state: 'CANCELLED', wanted: 'CANCEL', label });
    const done = learn(late.shipment, seen(journey('LABELLED', 'CANCELLED')));
    expect(done.shipment).toMatchObject({ state: 'CANCELLED', wanted: null });
    expect(toldBy(late, done)).toEqual([]);
  });
});

test('a parcel is seen by its customer and by staff; a guest’s by staff only', () => {
  const nobody = anonymous(tenantId);
  const staff = { ...nobody, scopes: new Set(['orders:read']) };
  expect(mayRead({ ...nobody, userId: asked.customerId }, asked)).toBe(true);
  expect(mayRead({ ...nobody, userId: asked.orderId }, asked)).toBe(false);
  expect(mayRead(nobody, { customerId: null })).toBe(false);
  expect(mayRead(staff, { customerId: null })).toBe(true);
});
