import { z } from 'zod';
import { parsed } from './api.ts';
import type { Desk } from './desk.ts';
import { ApiError } from './errors.ts';
import { wantedFaults } from './faults.ts';
import { befall } from './mishaps.ts';
import { type ShipmentRow, showShipment } from './shipment-rows.ts';
import type { Courier } from './webhooks.ts';

/** The back door: what a tester does to the carrier, and what a test compares its own book with. */
export type ControlRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
};

const page = z.object({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(500),
});

const release = z.strictObject({ reference: z.string().max(100).optional() });

const redelivery = z.strictObject({
  times: z.number().int().min(1).max(50).default(1),
  badSignature: z.boolean().default(false),
  ageSeconds: z
    .number()
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(0),
});

const bookPage = ({ book }: Desk, query: URLSearchParams): object => {
  const { after, limit } = parsed(page, Object.fromEntries(query));
  const rows = book.all<ShipmentRow>(
    'select * from shipment where seq > ? order by seq limit ?',
    after,
    limit,
  );
  return {
    shipments: rows.map((row) => ({
      ...showShipment(book, row),
      held: row.held_at !== null,
      forgotten: row.destination === null,
    })),
    next: rows.at(-1)?.seq ?? after,
    hasMore: rows.length === limit,
  };
};

const deliver = async ({ book }: Desk, courier: Courier, id: string, body: unknown): Promise<object> => {
  const { times, badSignature, ageSeconds } = parsed(redelivery, body);
  const event = book.get<{ body: string }>('select body from event where id = ?', id);
  if (!event) throw new ApiError(404, 'unknown_event', 'There is no such event.');
  return { statuses: await courier.deliver(event.body, times, { badSignature, ageSeconds }) };
};

const releaseWebhooks = ({ book }: Desk, body: unknown): object => {
  const { reference = null } = parsed(release, body);
  const released = book.run(
    `update delivery set held = 0, due_at = ? where held = 1
       and (? is null or shipment in (select id from shipment where reference = ?))`,
    Date.now(),
    reference,
    reference,
  );
  return { released };
};

const mishap = (desk: Desk, key: string, name: string): object =>
  desk.book.transaction(() => {
    const row = desk.book.get<ShipmentRow>(
      'select * from shipment where id = ? or tracking_number = ? or reference = ?',
      key,
      key,
      key,
    );
    if (!row) throw new ApiError(404, 'unknown_shipment', 'There is no such shipment.');
    return showShipment(desk.book, befall(desk, row, name, Date.now()));
  });

const answer = async (desk: Desk, courier: Courier, request: ControlRequest): Promise<object> => {
  const { method, path, query, body = {} } = request;
  const [, , what = '', id = '', verb = ''] = path.split('/');
  switch (`${method} ${id && verb ? `${what}/:id` : what}`) {
    case 'GET faults':
      return { faults: desk.faults.list() };
    case 'POST faults': {
      const wanted = parsed(wantedFaults, body);
      desk.book.transaction(() => desk.faults.apply(wanted));
      return { faults: desk.faults.list() };
    }
    case 'GET book':
      return bookPage(desk, query);
    case 'POST release':
      return releaseWebhooks(desk, body);
    case 'POST shipments/:id':
      return mishap(desk, id, verb);
    case 'POST events/:id':
      if (verb === 'deliver') return deliver(desk, courier, id, body);
      throw new ApiError(404, 'not_found', 'There is no such control.');
    default:
      throw new ApiError(404, 'not_found', 'There is no such control.');
  }
};

/** `wake` is called after each change, for the clock and the courier. */
export const controlOf =
  (desk: Desk, courier: Courier, wake: () => void) =>
  async (request: ControlRequest): Promise<object> => {
    const reply = await answer(desk, courier, request);
    wake();
    return reply;
  };
