// Where a planner, and not who runs its plan, makes an answer another.
import {
  type ConstDirectiveNode,
  type DirectiveNode,
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  print,
  valueFromASTUntyped,
  visit,
} from 'graphql';

type Variables = Readonly<Record<string, unknown>>;
type Directed = { readonly directives?: readonly (DirectiveNode | ConstDirectiveNode)[] };

const defaultsOf = (document: DocumentNode): Variables => {
  const operation = document.definitions.find(
    (one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION,
  );
  return Object.fromEntries(
    (operation?.variableDefinitions ?? [])
      .filter(({ defaultValue }) => defaultValue !== undefined)
      .map(({ variable, defaultValue }) => [variable.name.value, valueFromASTUntyped(defaultValue!)]),
  );
};

/**
 * The same query as its variables make it, without @skip and @include; null where nothing is left of a selection.
 *
 * The Rust planner fetches what stands under a directive all the same where another call of the same condition covers it.
 * A field that fails then spoils the answer although nobody asks for it: an error that is not there without directives.
 */
export const decided = (document: DocumentNode, variables: Variables): string => {
  const values: Variables = { ...defaultsOf(document), ...variables };
  const isAsked = ({ directives = [] }: Directed): boolean =>
    directives.every(({ name, arguments: given = [] }) => {
      const condition = given[0]!.value;
      const holds =
        condition.kind === Kind.VARIABLE
          ? values[condition.name.value] === true
          : condition.kind === Kind.BOOLEAN && condition.value;
      return holds === (name.value === 'include');
    });
  const enter = <Node extends Directed>(node: Node): Node | null =>
    isAsked(node) ? { ...node, directives: [] } : null;
  return print(visit(document, { Field: { enter }, InlineFragment: { enter }, FragmentSpread: { enter } }));
};
