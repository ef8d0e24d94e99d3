// The metrics of several workers as one page: Prometheus wants all lines of a metric together, so they are put under its
// heading, each with the worker that it is of.

type Family = { readonly head: string[]; readonly lines: string[] };

const withWorker = (line: string, worker: number): string => {
  const space = line.lastIndexOf(' ');
  const name = line.slice(0, space);
  const value = line.slice(space);
  const label = `worker="${worker}"`;
  return name.endsWith('}') ? `${name.slice(0, -1)},${label}}${value}` : `${name}{${label}}${value}`;
};

/** @param pages each in Prometheus's exposition format 0.0.4, by worker */
export const mergedMetrics = (pages: ReadonlyMap<number, string>): string => {
  const families = new Map<string, Family>();
  for (const [worker, page] of pages) {
    let family: Family | undefined;
    for (const line of page.split('\n')) {
      if (line === '') continue;
      const named = /^# (HELP|TYPE) (\S+)/.exec(line);
      if (!named) {
        family?.lines.push(withWorker(line, worker));
        continue;
      }
      const name = named[2]!;
      family = families.get(name);
      if (!family) {
        family = { head: [], lines: [] };
        families.set(name, family);
      }
      if (!family.head.some((one) => one.startsWith(`# ${named[1]} `))) family.head.push(line);
    }
  }
  return [...families.values()]
    .flatMap(({ head, lines }) => [...head, ...lines])
    .map((line) => `${line}\n`)
    .join('');
};
