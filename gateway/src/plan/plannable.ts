// What a planner may be given of a client's document. Introspection and `__typename` at the root are answered without
// any subgraph, a selection that is skipped for good needs none, and hostile response keys travel under other names.
import {
  type ASTNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { mutationsOnce } from './mutations.ts';
import { mayHoldHostileKeys, renameHostileKeys } from './response-keys.ts';

const introspection = new Set(['__schema', '__type']);

/** @skip(if: true) and @include(if: false), as written. */
const isNever = (directives: readonly DirectiveNode[] | undefined): boolean =>
  (directives ?? []).some(({ name, arguments: given }) => {
    const value = given?.find((one) => one.name.value === 'if')?.value;
    return value?.kind === Kind.BOOLEAN && value.value === (name.value === 'skip');
  });

const selectedOperation = (
  document: DocumentNode,
  operationName: string | undefined,
): OperationDefinitionNode => {
  const operation = document.definitions.find(
    (one): one is OperationDefinitionNode =>
      one.kind === Kind.OPERATION_DEFINITION && (!operationName || one.name?.value === operationName),
  );
  if (!operation) throw new TypeError('the document has no such operation');
  return operation;
};

/** The operation and its fragments. */
export const onlyOperation = (
  document: DocumentNode,
  operationName: string | undefined,
): {
  readonly operation: OperationDefinitionNode;
  readonly fragments: Map<string, FragmentDefinitionNode>;
} => ({
  operation: selectedOperation(document, operationName),
  fragments: new Map(
    document.definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((one) => [one.name.value, one]),
  ),
});

const pruned = (document: DocumentNode): DocumentNode =>
  visit(document, {
    Field: (field) => (introspection.has(field.name.value) || isNever(field.directives) ? null : undefined),
    FragmentSpread: (spread) => (isNever(spread.directives) ? null : undefined),
    InlineFragment: (fragment) => (isNever(fragment.directives) ? null : undefined),
  });

const typename: SelectionSetNode = {
  kind: Kind.SELECTION_SET,
  selections: [{ kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }],
};

const isConditional = ({ directives }: SelectionNode): boolean =>
  (directives ?? []).some(({ name }) => name.value === 'skip' || name.value === 'include');

const conditionalSpreads = (document: DocumentNode): Set<string> => {
  const names = new Set<string>();
  visit(document, {
    FragmentSpread: (spread) => {
      if (isConditional(spread)) names.add(spread.name.value);
    },
  });
  return names;
};

const isNode = (one: ASTNode | readonly ASTNode[]): one is ASTNode => !Array.isArray(one);

/**
 * Where an object may be skipped, and all that is selected of it as well, planners take both conditions for one: nobody
 * would ask whether the object is there. Elsewhere they do not, and could leave out a call.
 */
const withoutForgotten = (document: DocumentNode): DocumentNode => {
  const spread = conditionalSpreads(document);
  const mayBeSkipped = (field: FieldNode, around: readonly (ASTNode | readonly ASTNode[])[]): boolean => {
    if (isConditional(field)) return true;
    for (const one of around.toReversed()) {
      if (!isNode(one)) continue;
      if (one.kind === Kind.FIELD) return false;
      if (one.kind === Kind.INLINE_FRAGMENT && isConditional(one)) return true;
      if (one.kind === Kind.FRAGMENT_DEFINITION) return spread.has(one.name.value);
    }
    return false;
  };
  return visit(document, {
    Field: {
      leave: (field, _key, _parent, _path, around) => {
        const { selectionSet } = field;
        if (!selectionSet?.selections.every(isConditional) || !mayBeSkipped(field, around)) return undefined;
        const selections = [...typename.selections, ...selectionSet.selections];
        return { ...field, selectionSet: { ...selectionSet, selections } };
      },
    },
  });
};

/** A planner cannot read `{}`. */
const withoutEmptySelections = (document: DocumentNode): DocumentNode =>
  visit(document, { SelectionSet: (set) => (set.selections.length ? undefined : typename) });

/** Whether the selection, through all fragments, has a field that a subgraph must answer. */
const asksSomething = (
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): boolean =>
  set.selections.some((one: SelectionNode) => {
    if (one.kind === Kind.FIELD) return one.name.value !== '__typename';
    const inner = one.kind === Kind.INLINE_FRAGMENT ? one : fragments.get(one.name.value);
    return inner !== undefined && asksSomething(inner.selectionSet, fragments);
  });

const needsALook = /__schema|__type\b|@skip|@include/;

/** The text to plan; null where no subgraph needs to be asked. */
export const plannable = (text: string, operationName: string | undefined): string | null => {
  const document = parse(text, { noLocation: true });
  const renamed = mayHoldHostileKeys(text) ? renameHostileKeys(document).document : document;
  const ready = needsALook.test(text) ? withoutForgotten(pruned(renamed)) : renamed;
  const { operation, fragments } = onlyOperation(ready, operationName);
  if (!asksSomething(operation.selectionSet, fragments)) return null;
  const once = operation.operation === 'mutation' ? mutationsOnce(ready, fragments) : ready;
  return once === document ? text : print(withoutEmptySelections(once));
};
