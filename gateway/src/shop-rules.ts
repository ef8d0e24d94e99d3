// What the shop's own clients have to stand.
import { RequestError } from '@orderstream/runtime/errors';
import type { GraphQLSchema } from 'graphql';
import type { Asking } from './asking.ts';
import { isTooBroad, mostListed } from './breadth.ts';
import { checkSubscriptions, type Rules } from './door.ts';
import { checkVariables, createAdmission } from './limits.ts';

/** @param schema what clients may ask */
export const shopRules = (schema: GraphQLSchema): Rules<Asking> => ({
  admitText: createAdmission((document) => checkSubscriptions(schema, document)),
  admitVariables: checkVariables,
  check: (document, definition, variables) => {
    if (isTooBroad(schema, document, definition, variables))
      throw new RequestError(
        'QUERY_TOO_COMPLEX',
        `The query is too complex: it could list more than ${mostListed} things.`,
      );
  },
});
