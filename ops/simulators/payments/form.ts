import { ApiError, badParameter } from './errors.ts';

/** Parameters as sent: `a[b]=c` nests, and arrays are trees whose keys are numbers. No prototype, so no `__proto__`. */
export type Tree = { [key: string]: string | Tree };

const MOST_PARAMETERS = 1000;
const DEEPEST = 6;

const emptyTree = (): Tree => Object.create(null) as Tree;

const malformed = (message: string): ApiError =>
  new ApiError(400, { type: 'invalid_request_error', message });

const decode = (text: string): string => {
  try {
    const plain = decodeURIComponent(text.replaceAll('+', ' '));
    if (!plain.includes('\0')) return plain;
  } catch {
    // Falls through to the one answer for bytes that are not text.
  }
  throw malformed('Invalid request: a parameter is not valid UTF-8 text.');
};

const pathOf = (key: string): string[] => {
  const matched = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(key);
  if (!matched) throw malformed('Invalid request: a parameter name is malformed.');
  const nested = [...(matched[2] ?? '').matchAll(/\[([^[\]]*)\]/g)].map((part) => part[1] ?? '');
  if (nested.length >= DEEPEST) throw malformed('Invalid request: parameters are nested too deeply.');
  return [matched[1] ?? '', ...nested];
};

const place = (tree: Tree, path: readonly string[], value: string): void => {
  let branch = tree;
  path.forEach((part, depth) => {
    const key = part === '' ? String(Object.keys(branch).length) : part;
    const present = branch[key];
    if (depth === path.length - 1) {
      if (typeof present === 'object') throw badParameter(path[0] ?? '', `Invalid value for ${path[0]}`);
      branch[key] = value;
      return;
    }
    if (typeof present === 'string') throw badParameter(path[0] ?? '', `Invalid object for ${path[0]}`);
    const next = present ?? emptyTree();
    branch[key] = next;
    branch = next;
  });
};

// Thirteen to nineteen digits alone, or in the groups printed on a card. Identifiers such as UUIDs never match:
// their groups are bounded by letters, digits or dashes that these forms do not have.
const CARD_NUMBER =
  /(?<![A-Za-z0-9])(?:\d{13,19}|\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}|\d{4}[ -]\d{6}[ -]\d{4,5})(?![A-Za-z0-9])/g;

const passesCheckDigit = (digits: string): boolean => {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const doubled = Number(digit) * (place % 2 === 1 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
};

/** A field that is nothing but such digits is refused whatever they mean; inside a text they must be a card's. */
const holdsCardNumber = (text: string): boolean =>
  /^\d{13,19}$/.test(text.replaceAll(/[ -]/g, '')) ||
  [...text.matchAll(CARD_NUMBER)].some((match) => passesCheckDigit(match[0].replaceAll(/[ -]/g, '')));

/** Reads a form body or a query string. Throws an ApiError for what is malformed, and for any card number. */
export const parseForm = (text: string): Tree => {
  const tree = emptyTree();
  const pairs = text.split('&').filter((pair) => pair !== '');
  if (pairs.length > MOST_PARAMETERS) throw malformed('Invalid request: too many parameters.');
  for (const pair of pairs) {
    const cut = pair.indexOf('=');
    const key = decode(cut < 0 ? pair : pair.slice(0, cut));
    const value = cut < 0 ? '' : decode(pair.slice(cut + 1));
    if (holdsCardNumber(value) || holdsCardNumber(key)) {
      throw malformed('Card numbers are not accepted here. Send the id of a payment method instead.');
    }
    place(tree, pathOf(key), value);
  }
  return tree;
};

/** One spelling for equal parameters, whatever their order: what an idempotency key is compared by. */
export const canonical = (tree: Tree): string =>
  JSON.stringify(
    Object.keys(tree)
      .sort()
      .map((key) => {
        const value = tree[key] ?? '';
        return [key, typeof value === 'string' ? value : canonical(value)];
      }),
  );
