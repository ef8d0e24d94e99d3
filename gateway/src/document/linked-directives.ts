// Directives in a supergraph go by the names that `@link` gives them: imported under their own or another name, or as
// `feature__name`. Whoever reads one asks here what it is called.
import { type ConstDirectiveNode, type DocumentNode, Kind, valueFromASTUntyped } from 'graphql';

type Link = { readonly url: string; readonly as?: unknown; readonly import?: unknown };

const argumentsOf = (directive: ConstDirectiveNode): Record<string, unknown> =>
  Object.fromEntries(
    (directive.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)]),
  );

const linksOf = (supergraph: DocumentNode): Link[] =>
  supergraph.definitions
    .filter((one) => one.kind === Kind.SCHEMA_DEFINITION || one.kind === Kind.SCHEMA_EXTENSION)
    .flatMap((one) => one.directives ?? [])
    .filter((directive) => directive.name.value === 'link' || directive.name.value === 'core')
    .map((directive) => argumentsOf(directive) as Link)
    .filter((link) => typeof link.url === 'string');

/** `https://specs.apollo.dev/cost/v0.1` is of the feature `https://specs.apollo.dev/cost`. */
const featureOf = (url: string): string => url.replace(/\/v\d+\.\d+\/?$/, '');

const importedAs = (imports: unknown, directive: string): string | undefined => {
  if (!Array.isArray(imports)) return undefined;
  for (const one of imports) {
    if (one === `@${directive}`) return directive;
    if (typeof one === 'object' && one !== null && one.name === `@${directive}`)
      return String(one.as ?? one.name).slice(1);
  }
  return undefined;
};

/**
 * What a feature's directive is called in this supergraph; null where the feature is not linked.
 * @param feature such as `https://specs.apollo.dev/cost`
 */
export const linkedName = (supergraph: DocumentNode, feature: string, directive: string): string | null => {
  const link = linksOf(supergraph).find(({ url }) => featureOf(url) === feature);
  if (!link) return null;
  const space = typeof link.as === 'string' ? link.as : feature.slice(feature.lastIndexOf('/') + 1);
  const isDefault = directive === feature.slice(feature.lastIndexOf('/') + 1);
  return importedAs(link.import, directive) ?? (isDefault ? space : `${space}__${directive}`);
};

type Decorated = { readonly directives?: readonly ConstDirectiveNode[] };

/**
 * The arguments of each application of a directive. Composition writes some directives as
 * `@join__directive(name:, args:)`, one for each group of subgraphs that has it.
 */
export const applicationsOf = (node: Decorated, name: string): Record<string, unknown>[] =>
  (node.directives ?? []).flatMap((directive) => {
    if (directive.name.value === name) return [argumentsOf(directive)];
    if (directive.name.value !== 'join__directive') return [];
    const { name: joined, args } = argumentsOf(directive);
    return joined === name ? [(args ?? {}) as Record<string, unknown>] : [];
  });
