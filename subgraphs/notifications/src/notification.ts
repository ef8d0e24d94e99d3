// What a customer was told: the facts. The words are made from them when they are read, see templates.ts.
import type { Connection } from '@orderstream/runtime/paging';
import { type InvalidInput, invalidInput } from '@orderstream/runtime/text';
import type { Viewer } from '@orderstream/runtime/viewer';
import type { kinds } from './messages.ts';

export type Kind = (typeof kinds)[number];

export type Notification = {
  readonly id: string;
  readonly customerId: string;
  /** rises with every notification of a customer, in the order in which they became visible */
  readonly seq: number;
  readonly orderId: string;
  /** the order's number, for people */
  readonly number: string;
  readonly kind: Kind;
  readonly reason: string | null;
  /** minor units */
  readonly amountMinor: number | null;
  readonly currency: string;
  readonly createdAt: Date;
  readonly readAt: Date | null;
};

export type NotificationPage = Connection<Notification> & { readonly count: () => Promise<number> };

export type Customer = { readonly id: string };

/** The only way there is so far. */
export const channel = 'IN_APP';

/** Nobody reads other people's letters, staff neither. */
export const mayRead = (viewer: Viewer, { customerId }: Pick<Notification, 'customerId'>): boolean =>
  viewer.userId === customerId;

const mostAtOnce = 100;

/** Looked at before the ids are: a long list is not worth reading. */
export const tooMany = (ids: readonly string[]): InvalidInput | null =>
  ids.length <= mostAtOnce
    ? null
    : invalidInput([{ path: ['input', 'ids'], message: `At most ${mostAtOnce} are marked at once.` }]);

/** Counting stops here: a badge says no more than "999+". */
export const mostCounted = 1_000;
