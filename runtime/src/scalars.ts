// The scalars and value types that every subgraph shares: `runtime/schema.graphql` in code.
import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { format, type Money } from './money.ts';

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

const parseInstant = (value: unknown): Date => {
  const at = typeof value === 'string' && instant.test(value) ? new Date(value) : null;
  if (!at || Number.isNaN(at.getTime()))
    throw new GraphQLError(`DateTime is ISO 8601 with a time zone, not ${JSON.stringify(value)}`);
  return at;
};

const parseLong = (value: unknown): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new GraphQLError(`Long is a whole number of up to 53 bits, not ${JSON.stringify(value)}`);
  return value;
};

export const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  serialize: (value) => (value instanceof Date ? value : parseInstant(value)).toISOString(),
  parseValue: parseInstant,
  parseLiteral: (node) => parseInstant(node.kind === Kind.STRING ? node.value : node.kind),
});

export const Long = new GraphQLScalarType<number, number>({
  name: 'Long',
  serialize: parseLong,
  parseValue: parseLong,
  parseLiteral: (node) => parseLong(node.kind === Kind.INT ? Number(node.value) : node.kind),
});

/** Resolvers of the shared types; each subgraph's own are put over them. */
export const sharedResolvers = {
  DateTime,
  Long,
  Money: {
    formatted: (amount: Money, { locale }: { locale?: string | null }) => format(amount, locale ?? undefined),
  },
};
