import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openBook } from './book.ts';
import { townOf } from './countries.ts';
import type { Desk } from './desk.ts';
import { ApiError } from './errors.ts';
import { faultsOf } from './faults.ts';
import { hubs } from './hubs.ts';
import { befall } from './mishaps.ts';
import { depotsOf, kilometres, planOf, type Status, type Town } from './route.ts';
import { happenDue } from './scans.ts';
import { shipmentById, showShipment } from './shipment-rows.ts';
import { cancelShipment, createShipment } from './shipments.ts';
import { label } from './test-sender.ts';

const DAY = 1000;

const step = fc.oneof(
  fc.record({
    does: fc.constantFrom('lose', 'exception', 'deliver', 'hold', 'release', 'cancel'),
    waits: fc.constant(0),
  }),
  fc.record({ does: fc.constant('wait'), waits: fc.integer({ min: 1, max: 900 }) }),
);

/** What may come after what, as one would read it in a carrier's manual. */
const follows: Readonly<Record<Status, readonly Status[]>> = {
  label_created: ['collected', 'cancelled'],
  collected: ['in_transit', 'exception', 'lost', 'delivered'],
  in_transit: ['in_transit', 'out_for_delivery', 'exception', 'lost', 'delivered'],
  out_for_delivery: ['delivered', 'exception', 'lost'],
  exception: ['in_transit', 'out_for_delivery', 'delivered', 'exception', 'lost'],
  delivered: [],
  lost: [],
  cancelled: [],
};

const refusedOr = (work: () => unknown): void => {
  try {
    work();
  } catch (error) {
    // Asking too late is refused; anything else is a fault of the simulator.
    if (!(error instanceof ApiError && error.status === 409)) throw error;
  }
};

const openDesk = (): Desk => {
  const book = openBook(':memory:', false);
  return { book, faults: faultsOf(book), dayMs: DAY, notifies: true };
};

test('whatever befalls a parcel, its scans have no gap and none follows its end', () => {
  const ends = new Set<Status>();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const desk = openDesk();
      const { book } = desk;
      let now = 1_800_000_000_000;
      const { id } = JSON.parse(createShipment(desk, 'key', label('ord-1'), now).body);
      for (const { does, waits } of [
        ...steps,
        { does: 'release', waits: 0 },
        { does: 'wait', waits: 20 * DAY },
      ]) {
        now += waits;
        if (does === 'wait') while (happenDue(desk, now) > 0);
        else if (does === 'cancel') refusedOr(() => book.transaction(() => cancelShipment(desk, id, now)));
        else refusedOr(() => book.transaction(() => befall(desk, shipmentById(book, id), does, now)));
      }
      const { events, status, last_sequence } = showShipment(book, shipmentById(book, id));
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
      expect(last_sequence).toBe(events.length);
      let earlier: Status = 'label_created';
      for (const event of events) {
        expect(follows[earlier]).toContain(event.status);
        earlier = event.status;
      }
      expect(earlier).toBe(status);
      expect(['delivered', 'lost', 'cancelled']).toContain(status);
      const times = events.map(({ at }) => at);
      expect(times).toEqual(times.toSorted());
      expect(book.all('select seq from scan')).toEqual([]);
      expect(book.all('select seq from delivery')).toHaveLength(events.length);
      ends.add(status);
      book.close();
    }),
    { numRuns: 120 },
  );
  expect(ends).toEqual(new Set(['delivered', 'lost', 'cancelled']));
});

const places = ['NN11 8RG', 'G51 4TQ', 'BS11 8DD', 'ZE1 0AA', 'BT1 1AA', 'TR1 1AA', 'N1 9GU', 'im1 1aa'].map(
  (postcode) => townOf({ postcode, country: 'GB' }),
);
const abroad = ['IE', 'DE', 'FR', 'fi', 'CY', 'AU', 'US', 'IS', 'JP'].map((country) =>
  townOf({ postcode: '', country }),
);
const towns = [...places, ...abroad].filter((town): town is Town => town !== undefined);

test('every way has two to four depots, each nearer to the door, and its times rise', () => {
  expect(towns).toHaveLength(places.length + abroad.length);
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.constantFrom(...towns.slice(0, 3)),
      fc.constantFrom(...towns),
      (id, origin, destination) => {
        const depots = depotsOf({ id, origin, destination });
        expect(depots.length).toBeGreaterThanOrEqual(2);
        expect(depots.length).toBeLessThanOrEqual(4);
        expect(new Set(depots).size).toBe(depots.length);
        for (const depot of depots) expect(hubs).toContain(depot);
        const distances = depots.map((depot) => kilometres(depot, destination));
        expect(distances).toEqual(distances.toSorted((a, b) => b - a));
        const nearest = Math.min(...hubs.map((hub) => kilometres(hub, destination)));
        expect(distances.at(-1)).toBe(nearest);

        const journey = { id, origin, destination, from: 0, dayMs: 4000 };
        const scans = planOf(journey);
        expect(planOf(journey)).toEqual(scans);
        const times = scans.map(({ at }) => at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(Math.abs((times[0] ?? 0) - 500)).toBeLessThanOrEqual(160);
        expect(Math.abs((times.at(-1) ?? 0) - 8000)).toBeLessThanOrEqual(160);
      },
    ),
  );
});

test('two parcels on the same way do not have the same times', () => {
  const [origin, destination] = towns as [Town, Town];
  const plan = (id: string) => planOf({ id, origin, destination, from: 0, dayMs: 86_400_000 });
  expect(plan('cs_1').map(({ at }) => at)).not.toEqual(plan('cs_2').map(({ at }) => at));
});

test('distances are those of the globe', () => {
  const at = (postcode: string) => townOf({ postcode, country: 'GB' }) as Town;
  // London to Edinburgh is 534 km, London to Sydney 16,994 km, by any atlas.
  expect(kilometres(at('WC1A 1AA'), at('EH1 1AA'))).toBeCloseTo(534, -1);
  expect(kilometres(at('WC1A 1AA'), townOf({ postcode: '2000', country: 'AU' }) as Town)).toBeCloseTo(
    16_994,
    -2,
  );
});

test('the book itself refuses a gap and an event after the end', () => {
  const desk = openDesk();
  const { id } = JSON.parse(createShipment(desk, 'key', label('ord-1'), 0).body);
  const write = (sequence: number, status: Status) =>
    desk.book.run(
      `insert into event (id, shipment, sequence, status, at, place, latitude, longitude, description, body)
       values (?, ?, ?, ?, 0, '', 0, 0, '', '')`,
      `evt_${sequence}`,
      id,
      sequence,
      status,
    );
  expect(() => write(2, 'collected')).toThrow(/gap/);
  write(1, 'cancelled');
  expect(() => write(2, 'collected')).toThrow(/after its end/);
});

test('tracking numbers differ and their check digit holds', () => {
  const desk = openDesk();
  const numbers = Array.from({ length: 200 }, (_, n) => {
    const { body } = createShipment(desk, `key-${n}`, label(`ord-${n}`), 0);
    return String(JSON.parse(body).tracking_number);
  });
  expect(new Set(numbers).size).toBe(200);
  for (const number of numbers) {
    const digits = [...number.slice(2, 11)].map(Number);
    const sum = [8, 6, 4, 2, 3, 5, 9, 7].reduce((all, weight, n) => all + weight * (digits[n] ?? 0), 0);
    const wanted = 11 - (sum % 11);
    expect(digits[8]).toBe(wanted === 10 ? 0 : wanted === 11 ? 5 : wanted);
  }
});
