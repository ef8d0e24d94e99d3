/**
 * Orders to try the fraud rules on: the real customers' purchases as honest traffic, and frauds put among them. Nobody has
 * published which of these purchases was a fraud, so the frauds are made: bursts of new accounts on one network, orders
 * after a change of address on another's account, and high orders from new accounts. Honest customers do odd things as
 * well: they order within minutes of registering, move, buy gifts for others, share a device or an office's network.
 */
import { seedFraction } from '../seed/ids.ts';
import { invoices } from '../seed/online-retail.ts';

const hour = 3_600_000;
const day = 24 * hour;

export type Purchase = {
  readonly at: number;
  readonly customer: string;
  readonly amountMinor: number;
  readonly address: string;
  readonly device: string;
  readonly network: string;
  readonly registeredAt: number;
  /** the customer's address in the account was changed then */
  readonly movedAt: number | null;
  readonly fraud: Kind | null;
};

export type Kind = 'burst' | 'take-over' | 'new-and-costly';

type Range = readonly [from: number, to: number];

/** How the frauds are made. Shares are of one, amounts are factors of the usual. */
export type Manner = {
  readonly ring: Range;
  readonly ringSharesDevice: number;
  readonly ringSharesAddress: number;
  readonly ringAmount: Range;
  readonly takenOverWithinHours: Range;
  readonly takenOverOnNewDevice: number;
  readonly takenOverAmount: Range;
  readonly newAccountHours: Range;
  readonly newAccountAmount: Range;
};

/** The frauds to learn from, and those to be tested on, which are made in another manner: less sure and harder to see. */
const manners: Readonly<Record<'before' | 'after', Manner>> = {
  before: {
    ring: [4, 8],
    ringSharesDevice: 0.8,
    ringSharesAddress: 0.6,
    ringAmount: [1.5, 6],
    takenOverWithinHours: [0, 12],
    takenOverOnNewDevice: 0.95,
    takenOverAmount: [2, 8],
    newAccountHours: [0, 24],
    newAccountAmount: [4, 20],
  },
  after: {
    ring: [3, 10],
    ringSharesDevice: 0.65,
    ringSharesAddress: 0.5,
    ringAmount: [1.2, 8],
    takenOverWithinHours: [0, 24],
    takenOverOnNewDevice: 0.9,
    takenOverAmount: [1.5, 6],
    newAccountHours: [0, 36],
    newAccountAmount: [3, 15],
  },
};

/** of all orders */
const fraudShare = 0.02;

const amountOf = (lines: readonly { quantity: number; unitPriceMinor: number }[]): number =>
  lines.reduce((sum, { quantity, unitPriceMinor }) => sum + quantity * unitPriceMinor, 0);

/** Honest purchases, oldest first. */
const honest = (seed: number): Purchase[] => {
  const roll = (what: string, key: string): number => seedFraction(`fraud ${seed} ${what}`, key);
  const registered = new Map<string, number>();
  const sales = [...invoices()]
    .flatMap(({ customer, ...sale }) => (customer === null ? [] : [{ ...sale, customer }]))
    .sort((a, b) => a.placedAt.getTime() - b.placedAt.getTime());
  return sales.map(({ number, customer, placedAt, lines }) => {
    const at = placedAt.getTime();
    const wait = roll('wait', customer);
    const known = registered.get(customer) ?? at - (wait < 0.5 ? wait * hour : (wait - 0.5) * 120 * day);
    registered.set(customer, known);
    // One in twenty shares household and device with a neighbour; one in six orders from an office's network.
    const household =
      roll('household', customer) < 0.05 ? `h${Math.floor(roll('which', customer) * 90)}` : customer;
    const office =
      roll('office', customer) < 0.16 ? `n${Math.floor(roll('desk', customer) * 20)}` : household;
    return {
      at,
      customer,
      amountMinor: amountOf(lines),
      address: roll('gift', number) < 0.04 ? `gift ${number}` : household,
      device: roll('gadget', number) < 0.04 ? `gadget ${number}` : household,
      network: roll('abroad', number) < 0.1 ? `away ${number}` : office,
      registeredAt: known,
      movedAt: roll('moved', number) < 0.015 ? at - roll('since', number) * 72 * hour : null,
      fraud: null,
    };
  });
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** @param cut frauds before and after it are made in different manners */
export const traffic = (cut: Date, seed: number): Purchase[] => {
  const real = honest(seed);
  const shopUsual = median(real.map(({ amountMinor }) => amountMinor));
  const wanted = Math.round((real.length * fraudShare) / (1 - fraudShare));
  const frauds: Purchase[] = [];

  for (let attempt = 0; frauds.length < wanted; attempt++) {
    const key = `${attempt}`;
    const roll = (what: string): number => seedFraction(`crime ${seed} ${what}`, key);
    const between = ([from, to]: Range, what: string): number => from + roll(what) * (to - from);
    // After some purchase, so that frauds come when the shop is busy.
    const victim = real[Math.floor((0.05 + 0.95 * roll('victim')) * real.length)]!;
    const manner = victim.at < cut.getTime() ? manners.before : manners.after;
    const at = victim.at + roll('later') * hour;
    const thief = `thief ${seed} ${attempt}`;
    const base = { at, customer: thief, address: thief, device: thief, network: thief, movedAt: null };
    const kind = roll('kind');
    if (kind < 1 / 3 / median(manner.ring)) {
      const size = Math.round(between(manner.ring, 'ring'));
      const sharesDevice = roll('device') < manner.ringSharesDevice;
      const sharesAddress = roll('drop') < manner.ringSharesAddress;
      for (let member = 0; member < size; member++) {
        const place = (what: string): number => seedFraction(`ring ${seed} ${what} ${attempt}`, `${member}`);
        const name = `${thief} ${member}`;
        const then = at + place('then') * hour;
        const [least, most] = manner.ringAmount;
        frauds.push({
          at: then,
          customer: name,
          amountMinor: Math.round(shopUsual * (least + place('amount') * (most - least))),
          address: sharesAddress ? thief : name,
          device: sharesDevice ? thief : name,
          network: thief,
          registeredAt: then - place('age') * 2 * hour,
          movedAt: null,
          fraud: 'burst',
        });
      }
    } else if (kind < 2 / 3) {
      const isNew = roll('device') < manner.takenOverOnNewDevice;
      frauds.push({
        ...base,
        customer: victim.customer,
        amountMinor: Math.round(victim.amountMinor * between(manner.takenOverAmount, 'amount')),
        device: isNew ? thief : victim.device,
        registeredAt: victim.registeredAt,
        movedAt: at - between(manner.takenOverWithinHours, 'moved') * hour,
        fraud: 'take-over',
      });
    } else {
      frauds.push({
        ...base,
        amountMinor: Math.round(shopUsual * between(manner.newAccountAmount, 'amount')),
        registeredAt: at - between(manner.newAccountHours, 'age') * hour,
        fraud: 'new-and-costly',
      });
    }
  }
  return [...real, ...frauds].sort((a, b) => a.at - b.at);
};
