/**
 * Ids of the demo shop: the same row of the source has the same id on every machine and after every new start, so
 * subgraphs that never meet agree on which variant or customer is meant.
 *
 * The form is UUID version 7 (RFC 9562, 5.7): 48 bits of time in milliseconds, then version and variant, and where
 * version 7 asks for random bits 74 bits of SHA-256 over kind and key.
 */
import { hash } from 'node:crypto';
import { uuidv7 } from '@orderstream/runtime/ids';

/** The first day of the source. What has no date of its own was there when the shop opened. */
export const shopOpened = new Date('2010-12-01T00:00:00.000Z');

/**
 * The id of a row of the source, such as `seedId('product', '85123A')`. Give `at` where the row has a date (orders),
 * so that ids sort by time as those made at run time do. Kind, key and time name the row: give the same three
 * wherever the id is needed.
 */
export const seedId = (kind: string, key: string, at: Date = shopOpened): string =>
  uuidv7(at.getTime(), hash('sha256', `${kind}:${key}`, 'buffer'));

/** A number in [0, 1) that depends on kind and key alone: the shop's dice, which always fall the same way. */
export const seedFraction = (kind: string, key: string): number =>
  Number.parseInt(hash('sha256', `${kind}:${key}`, 'hex').slice(0, 13), 16) / 2 ** 52;
