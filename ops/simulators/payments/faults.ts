import { createHash } from 'node:crypto';
import type { Book } from './book.ts';

/** The switches of the control API. Each can be bound to one order, to a path, and to the next so many uses. */
export const SWITCHES = [
  'declinePercent',
  'timeoutAfterSuccess',
  'serverError',
  'slowMs',
  'webhooks.duplicate',
  'webhooks.delayMs',
  'webhooks.reorder',
  'webhooks.badSignature',
  'webhooks.oldTimestamp',
  'webhooks.hold',
] as const;

export type SwitchName = (typeof SWITCHES)[number];

export type Switch = {
  readonly name: SwitchName;
  /** Per cent, milliseconds, HTTP status, copies or seconds of age, by the switch's nature. */
  readonly value: number;
  /** The seed of declinePercent, `hang` or `destroy`, `before` or `after`. */
  readonly option: string | null;
  /** Uses left; null for until cleared. */
  readonly remaining: number | null;
  readonly orderId: string | null;
  /** A part of the request path, such as `/capture`. */
  readonly path: string | null;
};

/** What is being asked about: the order of the payment, and the request's path. */
export type Occasion = { readonly orderId: string | null; readonly path?: string };

export type Faults = {
  readonly list: () => Switch[];
  readonly set: (wanted: Switch) => void;
  readonly clear: (name?: SwitchName) => void;
  /** The switch that applies now, used once; undefined when all is well. */
  readonly take: (name: SwitchName, occasion: Occasion) => Switch | undefined;
};

type Row = Switch & { readonly seq: number };

const COLUMNS = 'name, value, option, remaining, order_id as orderId, path';

/** Switches live in the book, so a restart neither forgets one nor arms it again. */
export const faultsOf = (book: Book): Faults => ({
  list: () => book.all<Switch>(`select ${COLUMNS} from fault order by seq`),

  set: ({ name, value, option, remaining, orderId, path }) => {
    book.run('delete from fault where name = ? and order_id is ? and path is ?', name, orderId, path);
    book.run(
      'insert into fault (name, value, option, remaining, order_id, path) values (?, ?, ?, ?, ?, ?)',
      name,
      value,
      option,
      remaining,
      orderId,
      path,
    );
  },

  clear: (name) => {
    book.run('delete from fault where name = coalesce(?, name)', name ?? null);
  },

  take: (name, { orderId, path = '' }) => {
    // The narrowest switch wins: one for this order before one for everybody.
    const found = book.get<Row>(
      `select seq, ${COLUMNS} from fault
       where name = ? and (order_id is null or order_id = ?) and (path is null or instr(?, path) > 0)
       order by order_id is null, seq limit 1`,
      name,
      orderId,
      path,
    );
    if (found?.remaining === 1) book.run('delete from fault where seq = ?', found.seq);
    else if (found?.remaining)
      book.run('update fault set remaining = remaining - 1 where seq = ?', found.seq);
    return found;
  },
});

/** Whether the n-th per cent falls on this subject; equal for equal seed and subject, in any order of asking. */
export const falls = (percent: number, seed: string, subject: string): boolean =>
  createHash('sha256').update(`${seed}:${subject}`).digest().readUInt32BE(0) % 10_000 < percent * 100;
