// Native uuid (version 7) in SQL; at every border a prefix and the same 128 bits in Crockford's base32 (26 characters).
import { randomFillSync } from 'node:crypto';
import { badInput } from './errors.ts';

/** The one table of prefixes. A prefix is for ever: clients store ids. */
export const prefixes = {
  user: 'usr',
  address: 'adr',
  session: 'ses',
  tenant: 'ten',
  product: 'prd',
  variant: 'var',
  category: 'cat',
  review: 'rev',
  warehouse: 'whs',
  stockLevel: 'stk',
  cart: 'crt',
  cartLine: 'cln',
  order: 'ord',
  orderLine: 'oln',
  payment: 'pay',
  paymentMethod: 'pmt',
  refund: 'rfd',
  fraudAssessment: 'fra',
  shipment: 'shp',
  notification: 'ntf',
  apiClient: 'apc',
} as const;

export type Kind = keyof typeof prefixes;

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** RFC 9562 version 7: 48 bits of Unix milliseconds, then 74 random bits. */
export const uuidv7 = (atMs: number, random: Uint8Array): string => {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(atMs, 0, 6);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

const pool = Buffer.alloc(4000);
let used = pool.length;

/** A new id for now. Randomness is drawn 4 kB at a time. */
export const newId = (at: Date = new Date()): string => {
  if (used >= pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 10;
  return uuidv7(at.getTime(), pool.subarray(used - 10, used));
};

/** `ord_01K…` */
export const encodeId = (kind: Kind, uuid: string): string => {
  let bits = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let i = 0; i < 26; i++) {
    text = alphabet[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return `${prefixes[kind]}_${text}`;
};

/** The uuid, or null where the text is not an id of this kind. Letters are read in either case, as Crockford has it. */
export const parseId = (kind: Kind, id: string): string | null => {
  const [prefix, text, ...rest] = id.split('_');
  // Looked at before it is capitalized: the capitals of ſ and ß are plain letters.
  if (prefix !== prefixes[kind] || rest.length > 0 || !/^[0-9A-Za-z]{26}$/.test(text ?? '')) return null;
  let bits = 0n;
  for (const letter of text!.toUpperCase()) {
    const value = alphabet.indexOf(letter);
    if (value < 0) return null;
    bits = (bits << 5n) | BigInt(value);
  }
  if (bits >> 128n) return null;
  const hex = bits.toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

/**
 * The uuid of an id given by a client.
 * @param path the argument it came in, outermost first
 * @throws RequestError BAD_USER_INPUT for malformed ids and ids of another kind
 */
export const decodeId = (kind: Kind, id: string, path: readonly string[] = ['id']): string => {
  const uuid = parseId(kind, id);
  if (uuid === null) throw badInput(path, `An id that begins with ${prefixes[kind]}_ is needed here.`);
  return uuid;
};
