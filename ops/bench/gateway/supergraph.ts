// The bench's supergraph, composed at the start.
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { subgraphNames, typeDefsOf } from './answers.ts';

export const supergraphAt = (subgraphsUrl: string): string => {
  const { supergraphSdl, errors } = composeServices(
    subgraphNames.map((name) => ({
      name,
      url: `${subgraphsUrl}/${name}`,
      typeDefs: parse(typeDefsOf(name)),
    })),
  );
  if (supergraphSdl === undefined) throw new Error(`The bench's subgraphs do not compose: ${errors}`);
  return supergraphSdl;
};
