// What a client of a socket says of itself in its first message, and in later ones that prolong its visit. A browser's
// socket has no headers of its own: what stands here under a header's name stands for the header.

export type Greeting = Readonly<Record<string, unknown>> | null | undefined;

/** Undefined where nothing is said; what is no text is no token either, and is refused like a wrong one. */
export const saidIn = (greeting: Greeting, header: string): string | undefined => {
  const [, value] = Object.entries(greeting ?? {}).find(([name]) => name.toLowerCase() === header) ?? [];
  return value === undefined || value === null ? undefined : String(value);
};
