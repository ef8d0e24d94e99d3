// Entity references, answered by one call per type instead of one per reference.
import { type GraphQLObjectType, type GraphQLSchema, isObjectType } from 'graphql';

type Reference = { readonly __typename: string } & Readonly<Record<string, unknown>>;
type Batch = (references: readonly Reference[], ctx: unknown) => Promise<readonly unknown[]>;

const batchOf = Symbol('batch');

/**
 * `Order: { ...references((refs, ctx) => ctx.loaders.order.loadMany(…)) }`. The batch answers one row, null or Error for
 * each reference, in their order. It is an ordinary `__resolveReference` as well, for servers that know no batches.
 */
export const references = <C, R extends Reference, Row>(
  batch: (references: readonly R[], ctx: C) => Promise<readonly (Row | null | Error)[]>,
) => ({
  __resolveReference: Object.assign(
    async (reference: R, ctx: C): Promise<Row | null> => {
      const [row] = await batch([reference], ctx);
      if (row instanceof Error) throw row;
      return row ?? null;
    },
    { [batchOf]: batch as unknown as Batch },
  ),
});

type Resolve = ((reference: Reference, ctx: unknown) => unknown) & { [batchOf]?: Batch };

const resolverOf = (type: GraphQLObjectType): Resolve | undefined =>
  (type.extensions.apollo as { subgraph?: { resolveReference?: Resolve } } | undefined)?.subgraph
    ?.resolveReference;

const withType = (row: unknown, typename: string): unknown =>
  // A copy: the row may stand in a cache and must not be written on.
  row && !(row instanceof Error) ? { ...(row as object), __typename: typename } : (row ?? null);

/** A batch that fails costs the references of its type and no other, as it would without batches. */
const answersOf = async (
  resolve: Resolve,
  asked: readonly Reference[],
  ctx: unknown,
): Promise<readonly unknown[]> => {
  if (!resolve[batchOf])
    return Promise.all(
      asked.map(async (reference) => resolve(reference, ctx)).map((row) => row.catch(asError)),
    );
  try {
    const rows = await resolve[batchOf](asked, ctx);
    if (rows.length === asked.length) return rows;
    throw new TypeError(`${asked[0]!.__typename}: ${rows.length} answers for ${asked.length} references`);
  } catch (error) {
    return asked.map(() => asError(error));
  }
};

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Puts the batches behind `Query._entities` of a subgraph's schema. */
export const batchEntities = (schema: GraphQLSchema): void => {
  const entities = schema.getQueryType()?.getFields()._entities;
  if (!entities) return;
  entities.resolve = async (_root, { representations }: { representations: readonly Reference[] }, ctx) => {
    const answers: unknown[] = new Array(representations.length).fill(null);
    const byType = Map.groupBy(representations.keys(), (index) => representations[index]!.__typename);
    await Promise.all(
      [...byType].map(async ([typename, places]) => {
        const type = schema.getType(typename);
        const resolve = isObjectType(type) ? resolverOf(type) : undefined;
        const asked = places.map((place) => representations[place]!);
        const rows = resolve ? await answersOf(resolve, asked, ctx) : asked;
        for (const [index, place] of places.entries()) answers[place] = withType(rows[index], typename);
      }),
    );
    return answers;
  };
};
