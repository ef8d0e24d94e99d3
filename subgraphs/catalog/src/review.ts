import type { Connection, Cursor } from '@orderstream/runtime/paging';

export type Review = {
  readonly tenantId: string;
  readonly id: string;
  readonly productId: string;
  /** null when the author has left the shop */
  readonly userId: string | null;
  /** 1 to 5 */
  readonly rating: number;
  readonly body: string;
  readonly createdAt: Date;
};

export type ReviewList = Connection<Review> & { readonly productId: string };

/** What the reviews of a product amount to. */
export type Opinion = {
  readonly reviews: number;
  /** 1 to 5; null without reviews */
  readonly rating: number | null;
};

export const byNewest = 'newest';

export const cursorOf = (review: Review): Cursor => ({
  sort: byNewest,
  at: review.createdAt.toISOString(),
  id: review.id,
});
