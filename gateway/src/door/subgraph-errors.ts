// What a subgraph reports, in the words that the gateway may pass on.
import { type ErrorCode, RequestError } from '@orderstream/runtime/errors';
import { GraphQLError, type GraphQLFormattedError, Kind, parse, type SelectionSetNode } from 'graphql';

/** Codes of runtime's closed list; whatever else a subgraph says is its own affair and becomes INTERNAL. */
const passedOn: Record<ErrorCode, true> = {
  UNAUTHENTICATED: true,
  FORBIDDEN: true,
  BAD_USER_INPUT: true,
  NOT_FOUND: true,
  PAYLOAD_TOO_LARGE: true,
  QUERY_TOO_COMPLEX: true,
  PERSISTED_QUERY_REQUIRED: true,
  PERSISTED_QUERY_NOT_FOUND: true,
  RATE_LIMITED: true,
  OVERLOADED: true,
  SUBGRAPH_UNAVAILABLE: true,
  DEADLINE_EXCEEDED: true,
  INTERNAL: true,
};

const isPassedOn = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(passedOn, code);

type Path = readonly (string | number)[];

const at = (path: Path | undefined, error: RequestError): GraphQLError =>
  new GraphQLError(error.message, { path, extensions: error.extensions, originalError: error });

/** One error of a subgraph's answer. Where it stood there is kept; @apollo/gateway turns it into the client's path. */
export const fromSubgraph = ({ message, path, extensions = {} }: GraphQLFormattedError): GraphQLError => {
  const { code, argument, retryAfterMs } = extensions;
  if (!isPassedOn(code))
    return at(path, new RequestError('INTERNAL', undefined, { cause: new Error(message) }));
  const details = {
    ...(typeof argument === 'string' && { path: argument.split('.') }),
    ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
  };
  return at(path, new RequestError(code, code === 'INTERNAL' ? undefined : message, details));
};

const fieldsOf = (set: SelectionSetNode | undefined): string[] =>
  (set?.selections ?? []).flatMap((selection) => {
    if (selection.kind === Kind.FIELD)
      return selection.name.value === '__typename' ? [] : [(selection.alias ?? selection.name).value];
    return selection.kind === Kind.INLINE_FRAGMENT ? fieldsOf(selection.selectionSet) : [];
  });

/** entities of one fetch whose missing fields are reported one by one */
const mostPlaces = 20;

/** The same error at each field that a failed fetch would have filled, so that a client sees which `null` means what. */
export const atEveryField = (
  fetch: { readonly query: string; readonly variables?: Readonly<Record<string, unknown>> },
  error: RequestError,
): GraphQLError[] => {
  const [operation] = parse(fetch.query, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return [at(undefined, error)];
  const representations = fetch.variables?.representations;
  if (!Array.isArray(representations))
    return fieldsOf(operation.selectionSet).map((field) => at([field], error));
  const [entities] = operation.selectionSet.selections;
  const fields = new Set(entities?.kind === Kind.FIELD ? fieldsOf(entities.selectionSet) : []);
  return representations
    .slice(0, mostPlaces)
    .flatMap((_, index) => [...fields].map((field) => at(['_entities', index, field], error)));
};
