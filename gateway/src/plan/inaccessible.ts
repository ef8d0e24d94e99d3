// The Rust planner knows @inaccessible by this name only. Where `@link` gives it another one, everything that is
// inaccessible would be shown to clients.
import { type ConstArgumentNode, Kind, parse, print, visit } from 'graphql';
import { linkedName } from '../document/linked-directives.ts';

const feature = 'https://specs.apollo.dev/inaccessible';

const isOfFeature = (args: readonly ConstArgumentNode[] | undefined): boolean =>
  args?.some(
    ({ name, value }) =>
      name.value === 'url' && value.kind === Kind.STRING && value.value.startsWith(`${feature}/`),
  ) ?? false;

/** The supergraph in which @inaccessible goes by its own name; the very text where it does already. */
export const withInaccessibleByName = (sdl: string): string => {
  if (!sdl.includes(feature)) return sdl;
  const document = parse(sdl, { noLocation: true });
  const called = linkedName(document, feature, 'inaccessible');
  if (called === null || called === 'inaccessible') return sdl;
  const own = { kind: Kind.NAME as const, value: 'inaccessible' };
  return print(
    visit(document, {
      DirectiveDefinition: (node) => (node.name.value === called ? { ...node, name: own } : undefined),
      Directive: (node) => {
        if (node.name.value === called) return { ...node, name: own };
        if (node.name.value !== 'link' || !isOfFeature(node.arguments as readonly ConstArgumentNode[]))
          return undefined;
        const kept = node.arguments?.filter(({ name }) => name.value !== 'as' && name.value !== 'import');
        return { ...node, arguments: kept };
      },
    }),
  );
};
