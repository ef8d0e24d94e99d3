import { ApiError } from './errors.ts';
import { type Faults, SWITCHES, type Switch, type SwitchName } from './faults.ts';

/** Reads what POST /control/faults was sent. */

export type Json = { readonly [key: string]: unknown };

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const badControl = (message: string): ApiError =>
  new ApiError(400, { type: 'invalid_request_error', message });

type Shape = {
  /** The name of the switch's number; a switch without one is just on or off. */
  readonly number?: string;
  readonly usual: number;
  readonly most: number;
  /** A bare number is how many times, and not the switch's number. */
  readonly counted?: true;
  readonly option?: { readonly name: string; readonly values?: readonly string[] };
};

const shapes: Readonly<Record<SwitchName, Shape>> = {
  declinePercent: { number: 'percent', usual: 100, most: 100, option: { name: 'seed' } },
  timeoutAfterSuccess: {
    usual: 0,
    most: 0,
    counted: true,
    option: { name: 'how', values: ['hang', 'destroy'] },
  },
  serverError: {
    number: 'status',
    usual: 500,
    most: 599,
    counted: true,
    option: { name: 'when', values: ['before', 'after'] },
  },
  slowMs: { number: 'ms', usual: 1000, most: 120_000 },
  'webhooks.duplicate': { number: 'times', usual: 1, most: 20 },
  'webhooks.delayMs': { number: 'ms', usual: 1000, most: 86_400_000 },
  'webhooks.reorder': { usual: 0, most: 0 },
  'webhooks.badSignature': { usual: 0, most: 0, counted: true },
  'webhooks.oldTimestamp': { number: 'ageSeconds', usual: 600, most: 86_400, counted: true },
  'webhooks.hold': { usual: 0, most: 0 },
};

const wholeNumber = (value: unknown, name: string, most: number): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) {
    throw badControl(`${name} must be a whole number from 0 to ${most}`);
  }
  return value;
};

const textOrNull = (value: unknown, name: string): string | null => {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || value.length > 200) throw badControl(`${name} must be a short text`);
  return value;
};

const optionOf = (name: SwitchName, given: Json): string | null => {
  const { option } = shapes[name];
  if (!option) return null;
  const value = textOrNull(given[option.name], `${name}.${option.name}`);
  if (value !== null && option.values && !option.values.includes(value)) {
    throw badControl(`${name}.${option.name} must be one of ${option.values.join(', ')}`);
  }
  return value;
};

const MOST_USES = 1_000_000;

const detailed = (name: SwitchName, given: Json): Switch => {
  const { number, usual, most, option } = shapes[name];
  const known = ['match', 'count', 'path', number, option?.name];
  const stranger = Object.keys(given).find((key) => !known.includes(key));
  if (stranger !== undefined) throw badControl(`${name} knows no ${stranger}`);
  if (given.match !== undefined && !isJson(given.match)) throw badControl(`${name}.match must be an object`);
  const value = number === undefined ? undefined : given[number];
  return {
    name,
    value: value === undefined ? usual : wholeNumber(value, `${name}.${number}`, most),
    option: optionOf(name, given),
    remaining: given.count === undefined ? null : wholeNumber(given.count, `${name}.count`, MOST_USES) || 1,
    orderId: textOrNull(given.match?.orderId, `${name}.match.orderId`),
    path: textOrNull(given.path, `${name}.path`),
  };
};

const switchOf = (name: SwitchName, given: unknown): Switch => {
  if (isJson(given)) return detailed(name, given);
  if (given === true) return detailed(name, {});
  const { counted, number } = shapes[name];
  if (counted || number === undefined) return detailed(name, { count: given });
  return detailed(name, { [number]: given });
};

const isSwitch = (name: string): name is SwitchName => SWITCHES.some((known) => known === name);

/** Sets what is named and leaves the rest; null, false and 0 clear a switch, `clear: true` clears all of them first. */
export const applySwitches = (faults: Faults, body: Json): void => {
  const { clear, webhooks, ...plain } = body;
  const flat = Object.entries(plain);
  if (isJson(webhooks)) {
    flat.push(
      ...Object.entries(webhooks).map(([name, value]): [string, unknown] => [`webhooks.${name}`, value]),
    );
  } else if (webhooks === null) {
    flat.push(
      ...SWITCHES.filter((name) => name.startsWith('webhooks.')).map((name): [string, null] => [name, null]),
    );
  } else if (webhooks !== undefined) throw badControl('webhooks must be an object');

  const wanted = flat.map(([name, value]): [SwitchName, Switch | null] => {
    if (!isSwitch(name))
      throw badControl(`There is no switch ${name.slice(0, 60)}; there are ${SWITCHES.join(', ')}`);
    return [name, value === null || value === false || value === 0 ? null : switchOf(name, value)];
  });
  if (clear === true) faults.clear();
  for (const [name, value] of wanted) {
    if (value === null) faults.clear(name);
    else faults.set(value);
  }
};
