/**
 * The score that decides: rules with stated weights. Each risk has a weight (how far it alone may bring the score, as a
 * share of 100) and a strength from 0 to 1 in this order. They combine like independent chances,
 * 100 * (1 - Π (1 - weight * strength)), so that more risk never lowers the score and no combination exceeds 100. No single
 * risk is over 80: what holds an order is that several come together. The reasons for the figures stand in
 * docs/decisions/023-fraud.md.
 */
import { format } from '@orderstream/runtime/money';
import type { Features } from './feature.ts';
import { highRisk } from './messages.ts';

export const rulesVersion = 'rules-1';

export type Factor = {
  readonly name: string;
  /** points of the score */
  readonly contribution: number;
  readonly explanation: string;
};

export type Scored = { readonly score: number; readonly factors: Factor[] };

type Rule = {
  readonly name: string;
  readonly weight: number;
  /** 0 to 1; never falls as any of what it reads becomes riskier */
  readonly strength: (f: Features) => number;
  readonly explain: (f: Features, currency: string) => string;
};

/** 0 up to `from`, 1 from `to` on, straight between. */
const ramp = (value: number, from: number, to: number): number =>
  Math.min(1, Math.max(0, (value - from) / (to - from)));

/** The other way round: 1 up to `from` hours, 0 from `to` on; 0 where it is not known. */
const fading = (hours: number | null, from: number, to: number): number =>
  hours === null ? 0 : 1 - ramp(hours, from, to);

const isHigh = (f: Features): number => ramp(f.deviation, 1, 2.5);
const isNew = (f: Features): number => fading(f.accountAgeHours, 24, 24 * 7);
const hasMoved = (f: Features): number => fading(f.addressChangedHours, 24, 72);
const onDevice = (f: Features): number => ramp(f.accountsOnDevice, 0, 2);
const onAddress = (f: Features): number => ramp(f.accountsOnAddress, 1, 5);
const onNetwork = (f: Features): number =>
  Math.max(ramp(f.accountsOnNetwork, 1, 5), ramp(f.ordersFromNetwork, 2, 8));
const isFast = (f: Features): number => Math.max(ramp(f.ordersLastHour, 1, 5), ramp(f.ordersLastDay, 4, 12));
const wasRejected = (f: Features): number =>
  Math.max(ramp(f.rejectedOnDevice, 0, 1), ramp(f.rejectedOnAddress, 0, 5), ramp(f.rejectedOnNetwork, 0, 10));

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
const duration = (hours: number | null): string => {
  if (hours === null) return 'an unknown time';
  if (hours < 1) return counted(Math.max(0, Math.round(hours * 60)), 'minute');
  return hours < 48 ? counted(Math.round(hours), 'hour') : counted(Math.round(hours / 24), 'day');
};
const amounts = (f: Features, currency: string): string =>
  `${format({ amountMinor: f.amountMinor, currency })} where ${format({ amountMinor: f.typicalMinor, currency })} is usual`;

const rules: readonly Rule[] = [
  {
    name: 'amount',
    weight: 0.5,
    strength: isHigh,
    explain: (f, currency) =>
      `The order is ${amounts(f, currency)}: ${f.deviation.toFixed(1)} standard deviations above it.`,
  },
  {
    name: 'new-account',
    weight: 0.25,
    strength: isNew,
    explain: (f) => `The account is ${duration(f.accountAgeHours)} old.`,
  },
  {
    name: 'address-changed',
    weight: 0.3,
    strength: hasMoved,
    explain: (f) => `The customer's address was changed ${duration(f.addressChangedHours)} ago.`,
  },
  {
    name: 'shared-device',
    weight: 0.5,
    strength: onDevice,
    explain: (f) => `${counted(f.accountsOnDevice, 'other account')} used this device within 30 days.`,
  },
  {
    name: 'shared-address',
    weight: 0.3,
    strength: onAddress,
    explain: (f) =>
      `${counted(f.accountsOnAddress, 'other account')} ordered to this address within 30 days.`,
  },
  {
    name: 'shared-network',
    weight: 0.3,
    strength: onNetwork,
    explain: (f) =>
      `${counted(f.accountsOnNetwork, 'other account')} came from this network within 30 days, with ` +
      `${counted(f.ordersFromNetwork, 'order')} in the last hour.`,
  },
  {
    name: 'velocity',
    weight: 0.35,
    strength: isFast,
    explain: (f) =>
      `The customer placed ${counted(f.ordersLastHour, 'order')} in the hour before and ${f.ordersLastDay} in the day.`,
  },
  {
    name: 'unfamiliar',
    weight: 0.15,
    strength: (f) => (f.newDevice + f.newAddress) / 2,
    explain: (f) =>
      f.newDevice && f.newAddress
        ? 'The customer has never used this device or this address before.'
        : `The customer has never used this ${f.newDevice ? 'device' : 'address'} before.`,
  },
  {
    name: 'rejected-before',
    weight: 0.5,
    strength: wasRejected,
    explain: (f) =>
      `Orders rejected in review came from the same device (${f.rejectedOnDevice}), address (${f.rejectedOnAddress}) ` +
      `or network (${f.rejectedOnNetwork}).`,
  },
  {
    name: 'goods',
    weight: 0.3,
    strength: (f) => ramp(f.goodsAbuse, 0.05, 0.3),
    explain: (f) => `A good in the order has a record of abuse of ${(f.goodsAbuse * 100).toFixed(0)} %.`,
  },
  {
    name: 'declines',
    weight: 0.3,
    strength: (f) => ramp(f.declines, 1, 4),
    explain: (f) => `${counted(f.declines, 'payment')} of this customer was declined in the last day.`,
  },
  // What is harmless alone and telling together: strong only as the weaker of the two.
  {
    name: 'new-and-costly',
    weight: 0.6,
    strength: (f) => Math.min(isNew(f), ramp(f.deviation, 1, 2)),
    explain: (f, currency) =>
      `An account of ${duration(f.accountAgeHours)} orders for ${amounts(f, currency)}.`,
  },
  {
    name: 'taken-over',
    weight: 0.75,
    strength: (f) => Math.min(hasMoved(f), Math.max(isHigh(f), f.newDevice)),
    explain: (f) =>
      `The address was changed ${duration(f.addressChangedHours)} ago, and then comes ` +
      `${f.newDevice ? 'a device never seen with this customer' : 'an unusual amount'}.`,
  },
  {
    name: 'ring',
    weight: 0.75,
    strength: (f) => Math.min(onNetwork(f), Math.max(onDevice(f), isHigh(f))),
    explain: (f) =>
      `${counted(f.accountsOnNetwork, 'other account')} on the network, ` +
      `${f.accountsOnDevice > 0 ? `${f.accountsOnDevice} of them or others on the device` : 'with an unusual amount'}.`,
  },
];

/** @param currency of the amounts, for the sentences */
export const score = (features: Features, currency: string): Scored => {
  const risks = rules.flatMap((rule) => {
    const share = rule.weight * rule.strength(features);
    // Its part of the product as a logarithm; these add up, so a factor's points are its part of their sum.
    return share > 0 ? [{ rule, part: -Math.log1p(-share) }] : [];
  });
  const sum = risks.reduce((total, { part }) => total + part, 0);
  const exact = 100 * -Math.expm1(-sum);
  return {
    score: Math.round(exact),
    factors: risks
      .toSorted((a, b) => b.part - a.part)
      .map(({ rule, part }) => ({
        name: rule.name,
        contribution: Math.round((1000 * exact * part) / sum) / 1000,
        explanation: rule.explain(features, currency),
      })),
  };
};

export type Level = 'LOW' | 'MEDIUM' | 'HIGH';
export const levelOf = (given: number): Level => (given > highRisk ? 'HIGH' : given >= 40 ? 'MEDIUM' : 'LOW');
