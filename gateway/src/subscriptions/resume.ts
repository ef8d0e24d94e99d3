// Where a client goes on after a break. A field that watches one thing by its id, of a type with versions, tells the
// thing's state: whoever comes later is given the last event, and `sinceVersion` says which events are not wanted any
// more. That is the gateway's to keep, so that clients who know different versions share one subscription.
import { type DocumentNode, GraphQLInt, type GraphQLSchema, valueFromAST } from 'graphql';
import type { Variables } from '../execute/operation.ts';
import { isVersioned, type Root, rootOf, withRoot } from './marks.ts';

const argumentName = 'sinceVersion';

const isStateOf = ({ field, type }: Root): boolean =>
  type !== null &&
  isVersioned(type) &&
  type.getFields().id !== undefined &&
  field.args.some(({ type: wanted }) => String(wanted) === 'ID!');

export type Resumable = {
  readonly document: DocumentNode;
  /** The last event is the state of the one thing watched. */
  readonly isState: boolean;
  /** The version that the client has already; null for none. */
  readonly since: (variables: Variables) => number | null;
};

const fromTheStart = (): null => null;

/** @param document one subscription with one field at its root, then its fragments */
export const resumable = (schema: GraphQLSchema, document: DocumentNode): Resumable => {
  const root = rootOf(schema, document);
  if (!isStateOf(root)) return { document, isState: false, since: fromTheStart };
  const given = root.node.arguments?.find(({ name }) => name.value === argumentName);
  const declared = root.field.args.find(({ name }) => name === argumentName);
  if (!given || String(declared?.type) !== 'Int') return { document, isState: true, since: fromTheStart };
  const rest = root.node.arguments!.filter((one) => one !== given);
  return {
    document: withRoot(root, { ...root.node, arguments: rest }),
    isState: true,
    since: (variables) => (valueFromAST(given.value, GraphQLInt, variables) as number | null) ?? null,
  };
};
