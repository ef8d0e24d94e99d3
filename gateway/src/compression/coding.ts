// Which coding of an answer a client takes. https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3

export type Coding = 'br' | 'gzip';

/** by our liking, where the client likes them equally */
const ours: readonly Coding[] = ['br', 'gzip'];

/** characters; what is longer is no list of codings */
const longest = 1_000;

/** A weight that is none counts as 0. */
const weightOf = (parameters: readonly string[]): number => {
  const q = parameters.map((one) => one.trim()).find((one) => /^q=/i.test(one));
  if (q === undefined) return 1;
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q.slice(2)) ? Number(q.slice(2)) : 0;
};

/** The coding that the client likes best; null: as it is, which everybody takes who does not say otherwise. */
const read = (accepted: string): Coding | null => {
  const weights = new Map<string, number>();
  for (const one of accepted.slice(0, longest).split(',')) {
    const [name = '', ...parameters] = one.split(';');
    weights.set(name.trim().toLowerCase(), weightOf(parameters));
  }
  const weightFor = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  const plain = weights.get('identity') ?? 0;
  let best: Coding | null = null;
  for (const coding of ours) {
    const weight = weightFor(coding);
    if (weight > 0 && weight >= plain && (best === null || weight > weightFor(best))) best = coding;
  }
  return best;
};

/** headers that are remembered; browsers send one of a handful */
const most = 100;
const known = new Map<string, Coding | null>();

export const codingFor = (accepted: string | undefined): Coding | null => {
  if (accepted === undefined) return null;
  const before = known.get(accepted);
  if (before !== undefined) return before;
  const coding = read(accepted);
  if (known.size >= most) known.clear();
  if (accepted.length <= longest) known.set(accepted, coding);
  return coding;
};
