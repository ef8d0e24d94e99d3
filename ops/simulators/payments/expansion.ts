import type { Call } from './call.ts';
import { chargeOf } from './charges.ts';
import { customerOf } from './customers.ts';
import { badParameter } from './errors.ts';
import { intentOf, showIntent } from './intent-rows.ts';
import { strings } from './parameters.ts';
import { methodOf, showMethod } from './payment-methods.ts';

/** Fields that hold an id and can be asked for whole, with `expand[]`. */
const whole: Readonly<Record<string, (call: Call, id: string) => object>> = {
  charge: chargeOf,
  customer: (call, id) => customerOf(call, id),
  latest_charge: chargeOf,
  payment_intent: (call, id) => showIntent(call, intentOf(call, id)),
  payment_method: (call, id) => showMethod(methodOf(call, id)),
};

const refusal = (path: string) =>
  badParameter('expand', `This property cannot be expanded (${path.slice(0, 80)}).`);

const expandField = (call: Call, target: object, field: string, path: string): object => {
  const entry = Object.entries(target).find(([name]) => name === field);
  const expander = Object.hasOwn(whole, field) ? whole[field] : undefined;
  if (!entry || !expander) throw refusal(path);
  const [, id] = entry;
  return typeof id === 'string' ? { ...target, [field]: expander(call, id) } : target;
};

const expandPath = (call: Call, target: object, path: string): object => {
  if (!('data' in target) || !Array.isArray(target.data)) return expandField(call, target, path, path);
  if (!path.startsWith('data.')) throw refusal(path);
  const items: object[] = target.data;
  return { ...target, data: items.map((item) => expandField(call, item, path.slice(5), path)) };
};

/** The answer with the ids named in `expand[]` replaced by what they stand for; `data.` reaches into lists. */
export const expanded = (call: Call, body: object): object =>
  strings(call.params, 'expand').reduce((target, path) => expandPath(call, target, path), body);
