// Which headers a subgraph gets: what the rules say, one after the other, and nothing of the client's besides.
import type { HeaderRule } from '../configuration/subgraph-settings.ts';

export type Incoming = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A client cannot send two headers in one: Node would refuse to write it, in the middle of somebody's request. */
const isWritable = (value: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(value);

/**
 * @param own names that the gateway sends by itself, such as a signature: no client's value ever stands under them
 * @returns for each request names and values by turns, as transports take them
 */
export const headersFor = (
  rules: readonly HeaderRule[],
  own: ReadonlySet<string> = new Set(),
): ((incoming: Incoming) => string[]) => {
  const followed = rules.filter((rule) => !own.has(rule.kind === 'forward' ? rule.as : rule.name));
  if (followed.length === 0) return () => [];
  return (incoming) => {
    const sent = new Map<string, string>();
    for (const rule of followed) {
      if (rule.kind === 'remove') sent.delete(rule.name);
      else if (rule.kind === 'set') sent.set(rule.name, rule.value);
      else {
        const found = Object.hasOwn(incoming, rule.name) ? incoming[rule.name] : undefined;
        const value = typeof found === 'string' ? found : (found?.join(', ') ?? rule.fallback);
        if (value !== null && isWritable(value)) sent.set(rule.as, value);
      }
    }
    const flat: string[] = [];
    for (const [name, value] of sent) flat.push(name, value);
    return flat;
  };
};
