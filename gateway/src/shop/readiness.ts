// Whether the subgraphs can be reached, asked of the processes that host them.
import type { Check } from '@orderstream/runtime/host/health';

/** milliseconds that one look at a host answers for, as several subgraphs may live there */
const freshFor = 500;

const ask = async (origin: string): Promise<void> => {
  const response = await fetch(`${origin}/health/ready`, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  if (!response.ok)
    throw Object.assign(new Error(`a host is not ready: ${response.status}`), { code: 'NOT_READY' });
};

export const hostChecks = (
  names: readonly string[],
  originOf: (name: string) => string,
): Readonly<Record<string, Check>> => {
  const asked = new Map<string, { readonly atMs: number; readonly answer: Promise<void> }>();
  const look = (origin: string): Promise<void> => {
    const last = asked.get(origin);
    if (last && Date.now() - last.atMs < freshFor) return last.answer;
    const answer = ask(origin);
    asked.set(origin, { atMs: Date.now(), answer });
    return answer;
  };
  return Object.fromEntries(names.map((name) => [`subgraph ${name}`, () => look(originOf(name))]));
};
