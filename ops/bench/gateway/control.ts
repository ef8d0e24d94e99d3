// What bench and subgraphs say to each other.

/** What one client sends along; another for every request. */
export const authorizationOf = (run: number, request: number): string =>
  `Bearer bench-${String(run).padStart(4, '0')}-${String(request).padStart(8, '0')}`;

/** of this bench: what stands above, or an access token */
export const authorizationPattern = /^Bearer (bench-\d{4}-\d{8}|[\w-]+\.[\w-]+\.[\w-]+)$/;

/** milliseconds; one call in `slowOneIn` takes `slowMs`, none where it is 0 */
export type Delay = { readonly usualMs: number; readonly slowMs: number; readonly slowOneIn: number };

export const noDelay: Delay = { usualMs: 0, slowMs: 0, slowOneIn: 0 };

export type Seen = {
  /** to subgraphs, since the delay was last set */
  calls: number;
  /** of them without an authorization of this bench */
  unauthorized: number;
  /** the authorizations of the latest calls, in no order */
  last: string[];
};

/** Answers what was seen until now. */
export const setDelay = async (subgraphsUrl: string, delay: Delay): Promise<Seen> => {
  const response = await fetch(`${subgraphsUrl}/control`, { method: 'POST', body: JSON.stringify(delay) });
  return (await response.json()) as Seen;
};
