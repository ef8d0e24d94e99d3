// Composes the subgraphs' documents into the supergraph, and the supergraph into what clients see.
import { readdirSync } from 'node:fs';
import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import { schemaText } from '@orderstream/runtime/host/schema';
import { lexicographicSortSchema, parse, printSchema } from 'graphql';
import { type ContractFilter, contractOf } from './contract/contract.ts';

export type Document = { readonly name: string; readonly text: string };

export type Composed = {
  /** for the gateway; subgraphs stand at placeholders, and the settings say where they really are */
  readonly supergraph: string;
  /** for clients, sorted */
  readonly api: string;
};

const subgraphsFolder = new URL('../../subgraphs/', import.meta.url);

/** Every folder beside subgraphs/main.ts that has a schema. */
export const subgraphDocuments = (folder: URL = subgraphsFolder): Document[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ name: entry.name, text: schemaText(new URL(`${entry.name}/`, folder)) }))
    .filter((document): document is Document => document.text !== null)
    .sort((a, b) => (a.name < b.name ? -1 : 1));

/** What clients see, sorted. Apollo's reading refuses rules about who may ask, unless told that somebody holds to them. */
const apiOf = (supergraph: string): string => {
  const schema = Supergraph.build(supergraph, { supportedFeatures: null }).apiSchema().toGraphQLJSSchema();
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
};

/**
 * A hint fails like an error: it tells of something that was written and will not be there.
 * @throws Error naming every error and hint
 */
export const compose = (documents: readonly Document[]): Composed => {
  const result = composeServices(
    documents.map(({ name, text }) => ({
      name,
      url: `http://${name}.subgraph/graphql`,
      typeDefs: parse(text),
    })),
  );
  const problems = [
    ...(result.errors ?? []).map((error) => error.message),
    ...(result.hints ?? []).map((hint) => hint.toString()),
  ];
  if (problems.length > 0 || !result.supergraphSdl)
    throw new Error(`The subgraphs do not compose:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  return { supergraph: `${result.supergraphSdl.trimEnd()}\n`, api: apiOf(result.supergraphSdl) };
};

/** What partners may see; what they may ask for of that is in their operations and scopes. */
export const partnerContract: ContractFilter = { include: ['partner'] };

export const composeSupergraph = (): Composed & { readonly partner: string } => {
  const composed = compose(subgraphDocuments());
  return { ...composed, partner: apiOf(contractOf(composed.supergraph, partnerContract)) };
};
