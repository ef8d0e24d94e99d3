// Whether a supergraph may serve. A planner takes in texts that are nonsense to clients, and says little of what is wrong.
import { validateSchema } from 'graphql';
import { openSupergraph, type Supergraph } from '../plan/supergraph.ts';

/** @throws Error naming everything that is wrong, a line each */
export const openSoundSupergraph = (
  sdl: string,
  options: Parameters<typeof openSupergraph>[1] = {},
): Supergraph => {
  if (sdl.trim() === '') throw new Error('The supergraph is empty.');
  const supergraph = openSupergraph(sdl, options);
  const problems = validateSchema(supergraph.apiSchema).map(({ message }) => message);
  if (supergraph.subgraphs.size === 0) problems.push('It names no subgraphs.');
  if (problems.length) {
    supergraph.planner.close();
    throw new Error(problems.join('\n'));
  }
  return supergraph;
};
