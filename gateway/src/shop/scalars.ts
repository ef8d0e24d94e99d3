// Scalars that the gateway reads itself.
import { DateTime, Long } from '@orderstream/runtime/scalars';
import { type GraphQLSchema, isScalarType } from 'graphql';

/** A subgraph would refuse a malformed scalar too, but only after others had been asked. */
export const teachScalars = (schema: GraphQLSchema): void => {
  for (const { name, parseValue, parseLiteral } of [DateTime, Long]) {
    const type = schema.getType(name);
    if (isScalarType(type)) Object.assign(type, { parseValue, parseLiteral });
  }
};
