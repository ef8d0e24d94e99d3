// Who may see which part of an operation. What may not be seen is taken out of the document before anything is planned,
// and stands in the answer as null with an error at its place. Both are made by one call: there is no way to have the
// document without what completes its answer, and none to have a document that still asks for what was refused.
import { RequestError } from '@orderstream/runtime/errors';
import {
  type DocumentNode,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  type OperationTypeNode,
} from 'graphql';
import { type Completion, completionOf, type Refused, refusedPaths } from './completion.ts';
import type { AuthRules } from './rules.ts';
import { meets, refusalOf, type Standing } from './standing.ts';
import { needsWithin, reachable, strip } from './stripping.ts';

export type Authorized = {
  /** the one operation, and nothing that was refused; made for planning and running */
  readonly document: DocumentNode;
  /** paths of response names, without places in lists */
  readonly refused: readonly Refused[];
  /** Makes the answer to `document` the answer to what was asked. Null where nothing was refused. */
  readonly complete: Completion | null;
};

export type Guard = {
  /** Equal for all who are shown and told the same of this operation: what `authorize` answers may be kept by it. */
  readonly keyFor: (standing: Standing) => string;
  /** @throws RequestError UNAUTHENTICATED or FORBIDDEN where a refusal of a part is one of the whole */
  readonly authorize: (standing: Standing) => Authorized;
};

export type Authority = {
  /**
   * @param document valid and within all limits
   * @param operationName null where the document has one operation
   * @returns null for an operation in which nothing is guarded
   */
  readonly guard: (document: DocumentNode, operationName: string | null) => Guard | null;
};

/** filter: answer what may be seen. refuse: answer all or nothing. */
export type AuthMode = 'filter' | 'refuse';

const refuseWhole = (refused: readonly Refused[]): RequestError => {
  const code = refused.some((one) => one.code === 'UNAUTHENTICATED') ? 'UNAUTHENTICATED' : 'FORBIDDEN';
  const paths = [...new Set(refused.map(({ path }) => path.join('.')))].slice(0, 5).join(', ');
  return new RequestError(
    code,
    code === 'UNAUTHENTICATED'
      ? `Sign in first: it is needed for ${paths}.`
      : `You may not ask for ${paths}.`,
  );
};

export const createAuthority = (schema: GraphQLSchema, rules: AuthRules, mode: AuthMode): Authority => ({
  guard: (document, operationName) => {
    const operation: OperationDefinitionNode = getOperationAST(document, operationName)!;
    const parts = reachable(document, operation);
    const needs = needsWithin(schema, rules, parts);
    if (needs.length === 0) return null;
    return {
      keyFor: (standing) => {
        const met = needs.map((one) => (meets(standing, rules.requirements[one]!) ? '1' : '0')).join('');
        // To be asked to sign in is another answer than to be told no.
        return met.includes('0') ? `${met} ${refusalOf(standing)}` : met;
      },
      authorize: (standing) => {
        const unmet = new Set(needs.filter((one) => !meets(standing, rules.requirements[one]!)));
        const stripped = strip(schema, rules, parts, unmet);
        if (stripped.refused.size === 0) return { document: stripped.document, refused: [], complete: null };
        const refused = refusedPaths(parts, stripped.refused, refusalOf(standing));
        const isStream = operation.operation === ('subscription' as OperationTypeNode);
        // A subscription to nothing could not be opened at all.
        if (mode === 'refuse' || (isStream && refused.some(({ path }) => path.length === 1)))
          throw refuseWhole(refused);
        return {
          document: stripped.document,
          refused,
          complete: completionOf(schema, parts, stripped, refusalOf(standing)),
        };
      },
    };
  },
});
