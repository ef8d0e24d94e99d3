import type { ConstDirectiveNode, DirectiveNode } from 'graphql';

/** coerced, defaults filled in */
export type Variables = Readonly<Record<string, unknown>>;

type Decorated = { readonly directives?: readonly (DirectiveNode | ConstDirectiveNode)[] };

/** Whether `@skip` or `@include` leaves the field out. */
export const isSkipped = (node: Decorated, variables: Variables): boolean =>
  (node.directives ?? []).some(({ name, arguments: given }) => {
    const value = given?.[0]?.value;
    const decision =
      value?.kind === 'Variable'
        ? variables[value.name.value]
        : value?.kind === 'BooleanValue'
          ? value.value
          : null;
    return (name.value === 'skip' && decision === true) || (name.value === 'include' && decision === false);
  });
