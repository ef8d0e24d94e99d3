import { badInput, userError } from '@orderstream/runtime/errors';
import type { Hints } from '@orderstream/runtime/hints';
import { references } from '@orderstream/runtime/host/references';
import { decodeId, encodeId, parseId } from '@orderstream/runtime/ids';
import { connection, readPage } from '@orderstream/runtime/paging';
import { problemOf, tidy } from '@orderstream/runtime/text';
import type { Context } from './context.ts';
import type { Resolvers, StockAdjustmentInput } from './generated/resolvers.ts';
import { adjustStock } from './service.ts';
import { type Adjusted, type Adjustment, availabilityOf, available, largestDelta } from './stock.ts';
import { countStock, stockPage, warehouses } from './store.ts';
import { lowStock } from './subscriptions.ts';

/** @throws RequestError BAD_USER_INPUT naming the field */
const toAdjustment = (input: StockAdjustmentInput, index: number): Adjustment => {
  const path = (field: string): string[] => ['input', 'adjustments', `${index}`, field];
  const { delta, expectedVersion = null } = input;
  const reason = tidy(input.reason);
  const problem = problemOf(reason, { name: 'The reason', least: 1, most: 200 });
  if (delta === 0 || Math.abs(delta) > largestDelta)
    throw badInput(path('delta'), `delta is between 1 and ${largestDelta}, or the same below 0.`);
  if (problem) throw badInput(path('reason'), problem);
  return {
    variantId: decodeId('variant', input.variantId, path('variantId')),
    warehouseId: decodeId('warehouse', input.warehouseId, path('warehouseId')),
    delta,
    reason,
    expectedVersion,
  };
};

const toSearch = (text: string | null | undefined): string | null => {
  const search = text?.trim();
  if (search && search.length > 200) throw badInput(['search'], 'search has at most 200 characters.');
  return search || null;
};

/** Entity references: what is malformed is as unknown as what is not there. */
const loadMany = async <T>(
  kind: 'stockLevel' | 'warehouse',
  refs: readonly { readonly id: string }[],
  load: (id: string) => Promise<T | null>,
): Promise<(T | null | Error)[]> =>
  Promise.all(
    refs.map(({ id }) => {
      const uuid = parseId(kind, id);
      return uuid === null ? null : load(uuid).catch((error: Error) => error);
    }),
  );

const levelOf = (id: string, ctx: Context) => {
  const variantId = parseId('variant', id);
  return variantId === null ? null : ctx.loaders.level.load(variantId);
};

const outcomeOf = (outcome: Adjusted) =>
  'error' in outcome ? userError(outcome) : { __typename: 'StockAdjusted' as const, ...outcome };

export const resolvers = (hints: Hints): Resolvers => ({
  Query: {
    stockLevels: async (_root, { lowOnly, search, first, after }, { db, viewer }) => {
      const page = readPage({ first, after }, 'sku');
      const filter = { lowOnly: lowOnly ?? false, search: toSearch(search) };
      const rows = await stockPage(db, viewer.tenantId, filter, page);
      return { ...connection(rows, page, ({ sku, id }) => ({ sort: 'sku', at: sku, id })), filter };
    },
    warehouses: (_root, _args, { db, viewer }) => warehouses(db, viewer.tenantId),
  },

  Mutation: {
    adjustStock: async (_root, { input }, ctx) => {
      const { length } = input.adjustments;
      if (length < 1 || length > 100)
        throw badInput(['input', 'adjustments'], 'There are 1 to 100 adjustments at a time.');
      const adjustments = input.adjustments.map(toAdjustment);
      const answer = await adjustStock(ctx, input.idempotencyKey, adjustments);
      const outcomes =
        'error' in answer ? adjustments.map(() => userError(answer)) : answer.done.map(outcomeOf);
      const failed = outcomes.filter((outcome) => outcome.__typename !== 'StockAdjusted').length;
      return {
        succeeded: length - failed,
        failed,
        items: outcomes.map((outcome, index) => ({ index, outcome })),
      };
    },
  },

  Subscription: {
    lowStock: {
      subscribe: (_root, _args, ctx) => lowStock(ctx, hints),
      resolve: (level: unknown) => level as never,
    },
  },

  Variant: {
    ...references(async (refs) => refs),
    availability: async ({ id }, _args, ctx) => {
      const level = await levelOf(id, ctx);
      return level && availabilityOf(level);
    },
    availableQuantity: async ({ id }, _args, ctx) => (await levelOf(id, ctx))?.available ?? null,
    stockLevels: ({ id }, _args, ctx) => {
      const variantId = parseId('variant', id);
      return variantId === null ? null : ctx.loaders.stockOfVariant.load(variantId);
    },
  },

  StockLevel: {
    ...references((refs: readonly { __typename: string; id: string }[], ctx: Context) =>
      loadMany('stockLevel', refs, (id) => ctx.loaders.stock.load(id)),
    ),
    id: ({ id }) => encodeId('stockLevel', id),
    variant: ({ variantId }) => ({ id: encodeId('variant', variantId) }),
    // Whoever may see what stands in a warehouse may see the warehouse.
    warehouse: async ({ warehouseId }, _args, ctx) => (await ctx.loaders.warehouse.load(warehouseId))!,
    available,
  },

  Warehouse: {
    ...references((refs: readonly { __typename: string; id: string }[], ctx: Context) =>
      loadMany('warehouse', refs, (id) => ctx.loaders.warehouse.load(id)),
    ),
    id: ({ id }) => encodeId('warehouse', id),
  },

  StockLevelConnection: {
    totalCount: ({ filter }, _args, { db, viewer }) => countStock(db, viewer.tenantId, filter),
  },

  StockAdjusted: { level: async ({ stockId }, _args, ctx) => (await ctx.loaders.stock.load(stockId))! },
  StockBelowCommitted: {
    level: async ({ stockId }, _args, ctx) => (await ctx.loaders.stock.load(stockId))!,
  },
});
