import { z } from 'zod';
import type { Book } from './book.ts';

/** The switches of the control API, and what the bare number of each says when it does not say how many times. */
const switches = {
  failLabels: null,
  timeoutAfterSuccess: null,
  serverError: null,
  slowMs: 'value',
  'webhooks.duplicate': 'value',
  'webhooks.delayMs': 'value',
  'webhooks.reorder': null,
  'webhooks.badSignature': null,
  'webhooks.oldTimestamp': null,
  'webhooks.hold': null,
} as const satisfies Record<string, 'value' | null>;

export type SwitchName = keyof typeof switches;

/** The value of a switch that is only turned on: an HTTP status, milliseconds, copies, or seconds of age. */
const USUAL: Partial<Record<SwitchName, number>> = {
  serverError: 500,
  slowMs: 1000,
  'webhooks.duplicate': 1,
  'webhooks.delayMs': 1000,
  'webhooks.oldTimestamp': 600,
};

const MOST = 86_400_000;
const number = z.number().int().min(0).max(MOST);
const text = z.string().min(1).max(200);
const match = z.strictObject({ reference: text.optional(), postcode: text.optional() });
const anySwitch = z.union([
  z.null(),
  z.boolean(),
  number,
  z.strictObject({ count: number.optional(), value: number.optional(), match: match.optional() }),
]);
const serverError = z.union([
  z.null(),
  z.boolean(),
  number,
  z.strictObject({
    count: number.optional(),
    value: z.union([z.literal(429), z.number().int().min(500).max(599)]).optional(),
    match: match.optional(),
  }),
]);

/** What POST /control/faults is sent: it sets what it names and leaves the rest; null, false and 0 clear a switch. */
export const wantedFaults = z.strictObject({
  clear: z.boolean().optional(),
  failLabels: anySwitch.optional(),
  timeoutAfterSuccess: anySwitch.optional(),
  serverError: serverError.optional(),
  slowMs: anySwitch.optional(),
  webhooks: z
    .strictObject({
      duplicate: anySwitch.optional(),
      delayMs: anySwitch.optional(),
      reorder: anySwitch.optional(),
      badSignature: anySwitch.optional(),
      oldTimestamp: anySwitch.optional(),
      hold: anySwitch.optional(),
    })
    .nullable()
    .optional(),
});

type Wanted = z.infer<typeof anySwitch>;

type Switch = {
  readonly name: SwitchName;
  readonly value: number;
  /** Uses left; null for until cleared. */
  readonly remaining: number | null;
  readonly reference: string | null;
  readonly postcode: string | null;
};

/** The parcel that is being asked about, as far as it is known. */
export type Occasion = { readonly reference: string | null; readonly postcode?: string | null };

export type Faults = {
  readonly list: () => Switch[];
  readonly apply: (wanted: z.infer<typeof wantedFaults>) => void;
  /** The switch that applies now, used once; undefined when all is well. */
  readonly take: (name: SwitchName, occasion: Occasion) => Switch | undefined;
};

const isOff = (wanted: Wanted): boolean =>
  wanted === null ||
  wanted === false ||
  wanted === 0 ||
  (typeof wanted === 'object' && (wanted.count === 0 || (wanted.value === 0 && wanted.count === undefined)));

const switchOf = (name: SwitchName, wanted: Wanted): Switch => {
  const given = typeof wanted === 'object' && wanted !== null ? wanted : {};
  const bare = typeof wanted === 'number' ? wanted : undefined;
  const isValue = switches[name] === 'value';
  return {
    name,
    value: given.value ?? (isValue ? bare : undefined) ?? USUAL[name] ?? 0,
    remaining: given.count ?? (isValue ? undefined : bare) ?? null,
    reference: given.match?.reference ?? null,
    postcode: given.match?.postcode ?? null,
  };
};

const COLUMNS = 'name, value, remaining, reference, postcode';

/** Switches live in the book, so a restart neither forgets one nor arms it again. */
export const faultsOf = (book: Book): Faults => {
  const set = (name: SwitchName, wanted: Wanted): void => {
    if (isOff(wanted)) {
      book.run('delete from fault where name = ?', name);
      return;
    }
    const { value, remaining, reference, postcode } = switchOf(name, wanted);
    book.run(
      'delete from fault where name = ? and reference is ? and postcode is ?',
      name,
      reference,
      postcode,
    );
    book.run(
      `insert into fault (${COLUMNS}) values (?, ?, ?, ?, ?)`,
      name,
      value,
      remaining,
      reference,
      postcode,
    );
  };

  return {
    list: () => book.all<Switch>(`select ${COLUMNS} from fault order by seq`),

    apply: ({ clear, webhooks, ...plain }) => {
      if (clear) book.run('delete from fault');
      if (webhooks === null) book.run(`delete from fault where name like 'webhooks.%'`);
      const named = Object.entries(webhooks ?? {}).map(([name, wanted]) => [`webhooks.${name}`, wanted]);
      for (const [name, wanted] of [...Object.entries(plain), ...named] as [
        SwitchName,
        Wanted | undefined,
      ][]) {
        if (wanted !== undefined) set(name, wanted);
      }
    },

    take: (name, { reference, postcode = null }) => {
      // The narrowest switch wins: one for this parcel before one for everybody.
      const found = book.get<Switch & { readonly seq: number }>(
        `select seq, ${COLUMNS} from fault
         where name = ? and (reference is null or reference = ?) and (postcode is null or postcode = ?)
         order by reference is null, postcode is null, seq limit 1`,
        name,
        reference,
        postcode,
      );
      if (found?.remaining === 1) book.run('delete from fault where seq = ?', found.seq);
      else if (found?.remaining) {
        book.run('update fault set remaining = remaining - 1 where seq = ?', found.seq);
      }
      return found;
    },
  };
};
