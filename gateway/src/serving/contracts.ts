// Parts of the supergraph, each at a path of its own beside the whole.
import type { RequestListener } from 'node:http';
import type { Reloading } from '../reload/reloading.ts';
import type { Generation } from './generation.ts';
import { createHttp } from './http.ts';

type Http = Parameters<typeof createHttp>[0];

/** Whoever enters is in the contract, and keeps the supergraph of which it is a part from being let go. */
const enteringContract = (reloading: Reloading<Generation>, path: string): Reloading<Generation> => ({
  ...reloading,
  current: () => reloading.current().contracts.get(path)!,
  enter: () => {
    const era = reloading.enter();
    return {
      generation: era.generation.contracts.get(path)!,
      number: era.number,
      leave: () => era.leave(),
    };
  },
});

const httpOf = (http: Http, path: string): RequestListener => {
  const { configuration, particulars, reloading } = http;
  return createHttp({
    ...http,
    configuration: { ...configuration, listen: { ...configuration.listen, path } },
    particulars: { ...particulars, explorer: null },
    reloading: enteringContract(reloading, path),
    // Subscriptions are of the whole.
    subscriptions: null,
  });
};

/** @param http what the whole is served with */
export const createHttpWithContracts = (http: Http): RequestListener => {
  const whole = createHttp(http);
  const { contracts } = http.configuration;
  if (contracts.length === 0) return whole;
  const parts = new Map(contracts.map(({ path }) => [path, httpOf(http, path)]));
  return (request, response) => {
    const url = request.url ?? '/';
    const cut = url.indexOf('?');
    const part = parts.get(cut < 0 ? url : url.slice(0, cut));
    if (part) part(request, response);
    else whole(request, response);
  };
};
