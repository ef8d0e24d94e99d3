// Operations that were known to one supergraph made known to the next, so that no client waits for a plan because of a
// reload. Those that the new one does not answer any more are left behind: their clients are told when they ask.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DocumentNode, type GraphQLSchema, parse, validate } from 'graphql';

type Known = { readonly text: string; readonly operationName: string | undefined };

export type Warmed = {
  readonly kept: number;
  /** no longer valid, or not within the limits any more */
  readonly dropped: number;
};

export type WarmOptions = {
  /** What is known, the most used last. Asked again, since more may come to be known meanwhile. */
  readonly texts: () => readonly Known[];
  /** what clients may ask of the new supergraph */
  readonly apiSchema: GraphQLSchema;
  /** Plans for the new supergraph, or throws what speaks against it: limits may know the schema. */
  readonly prepare: (
    text: string,
    operationName: string | undefined,
    document: DocumentNode,
  ) => Promise<unknown>;
  /** operations; the most used ones are taken */
  readonly most?: number;
};

const usualMost = 5_000;

/** Those that came to be known meanwhile are looked for so often again. */
const rounds = 3;

export const warmOperations = async ({
  texts,
  apiSchema,
  prepare,
  most = usualMost,
}: WarmOptions): Promise<Warmed> => {
  const seen = new Set<string>();
  let kept = 0;

  const warm = async (text: string, operationName: string | undefined): Promise<void> => {
    try {
      const document = parse(text);
      if (validate(apiSchema, document, undefined, { maxErrors: 1 }).length) return;
      await prepare(text, operationName, document);
      kept += 1;
    } catch {
      // Asked for again it is refused in words for its client.
    }
  };

  for (let round = 0; round < rounds; round += 1) {
    // The most used last, there as here, so that these stay longest.
    const fresh = texts()
      .slice(-most)
      .filter(({ text, operationName }) => !seen.has(JSON.stringify([operationName, text])));
    if (!fresh.length) break;
    for (const { text, operationName } of fresh) {
      seen.add(JSON.stringify([operationName, text]));
      await warm(text, operationName);
      // Requests are served meanwhile: one operation takes some milliseconds.
      await nextTurn();
    }
  }
  return { kept, dropped: seen.size - kept };
};
