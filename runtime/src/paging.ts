// Relay connections over keyset cursors: a cursor is the last row seen, so page 10,000 costs what page 1 costs.
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { badInput } from './errors.ts';

/** The sort's name, its value in the row, and the row's uuid. */
export type Cursor = { readonly sort: string; readonly at: string; readonly id: string };

let key = createSecretKey(Buffer.from('unset'));

/** Cursors are signed so that a made-up one is told from a real one. Called once, by the host. */
export const setCursorSecret = (secret: string): void => {
  key = createSecretKey(createHmac('sha256', secret).update('cursor').digest());
};

const sign = (body: string): Buffer => createHmac('sha256', key).update(body).digest().subarray(0, 9);

export const encodeCursor = (cursor: Cursor): string => {
  const body = JSON.stringify([cursor.sort, cursor.at, cursor.id]);
  return Buffer.concat([sign(body), Buffer.from(body)]).toString('base64url');
};

const decodeCursor = (text: string, sort: string): Cursor => {
  const bytes = Buffer.from(text, 'base64url');
  const body = bytes.subarray(9).toString();
  if (bytes.length < 12 || !timingSafeEqual(sign(body), bytes.subarray(0, 9)))
    throw badInput(['after'], 'This is not a cursor of this list.');
  const [of, at, id] = JSON.parse(body) as [string, string, string];
  if (of !== sort) throw badInput(['after'], 'The cursor belongs to another order of the list.');
  return { sort, at, id };
};

export type Page = { readonly first: number; readonly after: Cursor | null };

/**
 * @param sort names the order of the list; a cursor of another order is refused
 * @throws RequestError BAD_USER_INPUT unless 1 <= first <= 100 and `after` is a cursor of this list
 */
export const readPage = (args: { first?: number | null; after?: string | null }, sort: string): Page => {
  const first = args.first ?? 20;
  if (first < 1 || first > 100) throw badInput(['first'], 'first is between 1 and 100.');
  return { first, after: args.after ? decodeCursor(args.after, sort) : null };
};

export type Connection<T> = {
  readonly edges: { readonly cursor: string; readonly node: T }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
};

/** @param rows one more than `page.first` where there is a next page */
export const connection = <T>(
  rows: readonly T[],
  page: Page,
  cursorOf: (row: T) => Cursor,
): Connection<T> => {
  const edges = rows.slice(0, page.first).map((node) => ({ cursor: encodeCursor(cursorOf(node)), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > page.first,
      hasPreviousPage: page.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
};
