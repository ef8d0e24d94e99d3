import type { KeyObject } from 'node:crypto';
import { badInput, userError } from '@orderstream/runtime/errors';
import { references } from '@orderstream/runtime/host/references';
import { decodeId, encodeId, parseId } from '@orderstream/runtime/ids';
import { type Activity, visitorOf } from './activity.ts';
import type { Context } from './context.ts';
import type { ActivityInput, Resolvers } from './generated/resolvers.ts';
import {
  boughtTogether,
  forCart,
  personal,
  type Recommendation,
  type Shelf,
  type Shelves,
  similar,
  trending,
} from './recommendation.ts';
import { trackActivity } from './service.ts';

const most = 50;

/** @throws RequestError BAD_USER_INPUT unless it is 1 to 50 */
const lengthOf = (first: number | null | undefined): number => {
  const length = first ?? 10;
  if (length < 1 || length > most) throw badInput(['first'], `first is between 1 and ${most}.`);
  return length;
};

const toActivity = ({ kind, at, productId, query, experiment }: ActivityInput, index: number): Activity => ({
  kind,
  at,
  productId: productId ? decodeId('product', productId, ['input', 'items', `${index}`, 'productId']) : null,
  query: query ?? null,
  experiment: experiment ?? null,
});

export const createResolvers = (shelves: Shelves, key: KeyObject): Resolvers => {
  /** Nothing where nothing has been learnt yet. */
  const onShelf = (ctx: Context, find: (shelf: Shelf) => Recommendation[]): Recommendation[] => {
    const shelf = shelves.get(ctx.viewer.tenantId);
    return shelf ? find(shelf) : [];
  };

  const ofProduct =
    (find: typeof boughtTogether) =>
    ({ id }: { id: string }, args: { first?: number | null }, ctx: Context): Recommendation[] | null => {
      const first = lengthOf(args.first);
      const productId = parseId('product', id);
      return productId === null ? null : onShelf(ctx, (shelf) => find(shelf, productId, first));
    };

  return {
    Query: {
      trending: (_root, args, ctx) => {
        const first = lengthOf(args.first);
        return onShelf(ctx, (shelf) => trending(shelf, first));
      },
    },

    Mutation: {
      trackActivity: async (_root, { input }, ctx) => {
        const outcome = await trackActivity(ctx, key, input.items, toActivity);
        return 'error' in outcome
          ? userError(outcome)
          : { __typename: 'ActivityAccepted' as const, ...outcome };
      },
    },

    Recommendation: {
      product: ({ productId }) => ({ id: encodeId('product', productId) }),
    },

    Product: {
      ...references(async (refs) => refs),
      boughtTogether: ofProduct(boughtTogether),
      similar: ofProduct(similar),
    },

    User: {
      ...references(async (refs) => refs),
      recommendations: async ({ id }, args, ctx) => {
        const first = lengthOf(args.first);
        const userId = parseId('user', id);
        const purchases = userId && (await ctx.loaders.purchases.load(userId));
        return purchases ? onShelf(ctx, (shelf) => personal(shelf, purchases, first)) : null;
      },
    },

    // Whose cart it is and what is in it is known to orders alone; the answer speaks of the viewer and of nobody else.
    Cart: {
      ...references(async (refs) => refs),
      recommendations: async (_cart, args, ctx) => {
        const first = lengthOf(args.first);
        const { userId } = ctx.viewer;
        const [interests, purchases] = await Promise.all([
          ctx.loaders.interests.load(visitorOf(ctx.viewer, key)),
          userId ? ctx.loaders.purchases.load(userId) : null,
        ]);
        return onShelf(ctx, (shelf) => forCart(shelf, interests, purchases ?? [], first));
      },
    },
  };
};
