// Do the fraud rules stop frauds and let customers be? Replays a year of orders one by one; each is scored from what was
// known at its moment, with the very functions that the subgraph scores with.
import {
  type Facts,
  featuresOf,
  inputNames,
  inputOf,
  nothingUsual,
  withAmount,
} from '@orderstream/fraud/features';
import { type Example, learn, outputsOf, type Quality, qualityOf } from '@orderstream/fraud/learner';
import { highRisk } from '@orderstream/fraud/messages';
import { score } from '@orderstream/fraud/rules';
import { type Kind, type Purchase, traffic } from './fraud-traffic.ts';

const hour = 3_600_000;
const day = 24 * hour;
/** an order counts as paid then, and a rejected one is known as fraud */
const paidAfter = 2 * day;
const decidedAfter = 4 * hour;

export type Figures = Quality & { readonly name: string; readonly auc: number };

export type Report = {
  readonly cut: Date;
  readonly seed: number;
  readonly learntFrom: number;
  readonly asked: number;
  readonly frauds: number;
  readonly learntInMs: number;
  readonly figures: readonly Figures[];
  /** share that the rules stop, by kind */
  readonly recallOf: readonly {
    readonly kind: Kind;
    readonly frauds: number;
    readonly rules: number;
    readonly net: number;
  }[];
};

type Seen = Example & { readonly at: number; readonly amountMinor: number; readonly fraud: Kind | null };

/** What the subgraph's tables would hold, in memory. */
const createMemory = () => {
  const places = new Map<string, Map<string, number>>();
  const ofCustomer = new Map<string, number[]>();
  const ofNetwork = new Map<string, number[]>();
  const usual = new Map<string, typeof nothingUsual>();
  const moved = new Map<string, number>();
  const rejected = new Map<string, number>();
  let shop = nothingUsual;

  const others = (place: string, { customer, at }: Purchase): number =>
    [...(places.get(place) ?? [])].filter(([who, last]) => who !== customer && last > at - 30 * day).length;
  const lately = (times: readonly number[] | undefined, since: number): number =>
    (times ?? []).filter((at) => at > since).length;
  const placesOf = ({ address, device, network }: Purchase) =>
    [`address ${address}`, `device ${device}`, `network ${network}`] as const;

  return {
    factsOf: (order: Purchase): Facts => {
      const { at, customer, amountMinor, registeredAt } = order;
      const [address, device, network] = placesOf(order);
      const movedAt = order.movedAt ?? moved.get(customer) ?? null;
      const isKnown = ofCustomer.has(customer);
      const isNewAt = (place: string): boolean => isKnown && !places.get(place)?.has(customer);
      return {
        amountMinor,
        customer: usual.get(customer) ?? nothingUsual,
        shop,
        accountAgeHours: (at - registeredAt) / hour,
        addressChangedHours: movedAt === null ? null : (at - movedAt) / hour,
        ordersLastHour: lately(ofCustomer.get(customer), at - hour),
        ordersLastDay: lately(ofCustomer.get(customer), at - day),
        accountsOnAddress: others(address, order),
        accountsOnDevice: others(device, order),
        accountsOnNetwork: others(network, order),
        ordersFromNetwork: lately(ofNetwork.get(network), at - hour),
        isNewAddress: isNewAt(address),
        isNewDevice: isNewAt(device),
        rejectedOnAddress: rejected.get(address) ?? 0,
        rejectedOnDevice: rejected.get(device) ?? 0,
        rejectedOnNetwork: rejected.get(network) ?? 0,
        goodsAbuse: 0,
        declines: 0,
      };
    },
    remember: (order: Purchase): void => {
      const { at, customer, network, movedAt } = order;
      for (const place of placesOf(order))
        places.set(place, (places.get(place) ?? new Map<string, number>()).set(customer, at));
      ofCustomer.set(customer, [...(ofCustomer.get(customer) ?? []), at]);
      ofNetwork.set(`network ${network}`, [...(ofNetwork.get(`network ${network}`) ?? []), at]);
      if (movedAt !== null) moved.set(customer, movedAt);
    },
    pay: ({ customer, amountMinor }: Purchase): void => {
      usual.set(customer, withAmount(usual.get(customer) ?? nothingUsual, amountMinor));
      shop = withAmount(shop, amountMinor);
    },
    reject: (order: Purchase): void => {
      for (const place of placesOf(order)) rejected.set(place, (rejected.get(place) ?? 0) + 1);
    },
  };
};

/** Every order with its features and the rules' score at its moment. A held fraud is rejected, all else is paid. */
const replay = (orders: readonly Purchase[]): Seen[] => {
  const memory = createMemory();
  const later: { readonly at: number; readonly happen: () => void }[] = [];
  return orders.map((order) => {
    while (later[0] && later[0].at <= order.at) later.shift()!.happen();
    const features = featuresOf(memory.factsOf(order));
    const scored = score(features, 'GBP').score;
    memory.remember(order);
    const isRejected = order.fraud !== null && scored > highRisk;
    later.push(
      isRejected
        ? { at: order.at + decidedAfter, happen: () => memory.reject(order) }
        : { at: order.at + paidAfter, happen: () => memory.pay(order) },
    );
    later.sort((a, b) => a.at - b.at);
    return {
      at: order.at,
      amountMinor: order.amountMinor,
      fraud: order.fraud,
      input: inputOf(features),
      isFraud: order.fraud !== null,
      score: scored,
    };
  });
};

/** The chance that a fraud is above an honest order (Mann-Whitney); a tie is half. */
const aucOf = (values: readonly number[], isFraud: readonly boolean[]): number => {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  let rankSum = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to += 1;
    const rank = (from + 1 + to) / 2;
    for (let place = from; place < to; place++) if (isFraud[order[place]!]) rankSum += rank;
    from = to;
  }
  const frauds = isFraud.filter(Boolean).length;
  return (rankSum - (frauds * (frauds + 1)) / 2) / (frauds * (values.length - frauds));
};

/** The amount from which stopping is best by F1, on orders to learn from. */
const amountToStop = (seen: readonly Seen[]): number => {
  const frauds = seen.filter(({ isFraud }) => isFraud).length;
  let best = { amount: Number.POSITIVE_INFINITY, f1: 0 };
  let right = 0;
  for (const [place, { amountMinor, isFraud }] of seen
    .toSorted((a, b) => b.amountMinor - a.amountMinor)
    .entries()) {
    right += Number(isFraud);
    const f1 = (2 * right) / (place + 1 + frauds);
    if (f1 > best.f1) best = { amount: amountMinor, f1 };
  }
  return best.amount;
};

export const evaluate = (cut: Date, seed: number): Report => {
  const seen = replay(traffic(cut, seed));
  const before = seen.filter(({ at }) => at < cut.getTime());
  const after = seen.filter(({ at }) => at >= cut.getTime());
  const isFraud = after.map((each) => each.isFraud);

  const began = performance.now();
  const lesson = learn(before, inputNames, seed);
  const learntInMs = performance.now() - began;
  if (!lesson) throw new Error('there are too few frauds before that day to learn from');
  const { network } = lesson;
  const outputs = outputsOf(
    network,
    after.map(({ input }) => input),
  );
  const amounts = after.map(({ amountMinor }) => amountMinor);
  const stopAt = amountToStop(before);
  const stopped = {
    rules: after.map((each) => each.score > highRisk),
    net: outputs.map((output) => output >= network.threshold),
    amount: amounts.map((amount) => amount >= stopAt),
  };
  const share = (kind: Kind, stops: readonly boolean[]): number =>
    after.filter(({ fraud }, index) => fraud === kind && stops[index]).length /
    after.filter(({ fraud }) => fraud === kind).length;
  return {
    cut,
    seed,
    learntFrom: before.length,
    asked: after.length,
    frauds: isFraud.filter(Boolean).length,
    learntInMs,
    figures: [
      {
        name: 'rules',
        ...qualityOf(stopped.rules, isFraud),
        auc: aucOf(
          after.map((each) => each.score),
          isFraud,
        ),
      },
      { name: 'network', ...qualityOf(stopped.net, isFraud), auc: aucOf(outputs, isFraud) },
      { name: 'amount only', ...qualityOf(stopped.amount, isFraud), auc: aucOf(amounts, isFraud) },
    ],
    recallOf: (['burst', 'take-over', 'new-and-costly'] as const).map((kind) => ({
      kind,
      frauds: after.filter(({ fraud }) => fraud === kind).length,
      rules: share(kind, stopped.rules),
      net: share(kind, stopped.net),
    })),
  };
};

const percent = (part: number | null): string => (part === null ? '-' : `${(part * 100).toFixed(1)} %`);

export const told = ({
  cut,
  seed,
  learntFrom,
  asked,
  frauds,
  learntInMs,
  figures,
  recallOf,
}: Report): string =>
  [
    `${asked} orders from ${cut.toISOString().slice(0, 10)} on, ${frauds} of them frauds made for this, seed ${seed}.`,
    `The network learnt from ${learntFrom} orders before, frauds made in another manner, in ${Math.round(learntInMs)} ms.`,
    '',
    `  ${'stops'.padEnd(18)}${'precision'.padStart(11)}${'recall'.padStart(10)}${'AUC'.padStart(8)}`,
    ...figures.map(
      ({ name, precision, recall, auc }) =>
        `  ${name.padEnd(18)}${percent(precision).padStart(11)}${percent(recall).padStart(10)}${auc.toFixed(3).padStart(8)}`,
    ),
    '',
    `  ${'frauds found'.padEnd(18)}${'there are'.padStart(11)}${'rules'.padStart(10)}${'network'.padStart(10)}`,
    ...recallOf.map(
      ({ kind, frauds: count, rules, net }) =>
        `  ${kind.padEnd(18)}${String(count).padStart(11)}${percent(rules).padStart(10)}${percent(net).padStart(10)}`,
    ),
  ].join('\n');
