// All metrics of a process as one page of text, in Prometheus's exposition format 0.0.4.
import { Counter, Family, Histogram } from './metric.ts';

type Kind = 'counter' | 'gauge' | 'histogram';

/** Tells one value; labels in the order that was promised. */
export type Tell = (value: number, ...labels: readonly string[]) => void;

export type Registry = {
  readonly counters: (
    name: string,
    help: string,
    labels: readonly string[],
    most?: number,
  ) => Family<Counter>;
  readonly histograms: (
    name: string,
    help: string,
    labels: readonly string[],
    bounds: readonly number[],
  ) => Family<Histogram>;
  /** What somebody else counts or knows: asked for each time the page is read. */
  readonly reading: (
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    labels: readonly string[],
    read: (tell: Tell) => void,
  ) => void;
  readonly text: () => string;
};

export const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/** label sets of one name, more than any deployment has subgraphs times outcomes */
const usualMost = 1_000;

const numeral = (value: number): string =>
  Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';

const line = (name: string, labels: string, value: number): string =>
  `${name}${labels && `{${labels}}`} ${numeral(value)}\n`;

const counterLines = ({ name }: { name: string }, members: Iterable<[string, Counter]>): string => {
  let text = '';
  for (const [labels, { value }] of members) text += line(name, labels, value);
  return text;
};

const histogramLines = ({ name }: { name: string }, members: Iterable<[string, Histogram]>): string => {
  let text = '';
  for (const [labels, { bounds, counts, sum }] of members) {
    const before = labels && `${labels},`;
    let total = 0;
    for (let at = 0; at < counts.length; at += 1) {
      total += counts[at]!;
      text += line(
        `${name}_bucket`,
        `${before}le="${numeral(bounds[at] ?? Number.POSITIVE_INFINITY)}"`,
        total,
      );
    }
    text += line(`${name}_sum`, labels, sum) + line(`${name}_count`, labels, total);
  }
  return text;
};

export const createRegistry = (): Registry => {
  const pages = new Map<string, () => string>();

  const add = (kind: Kind, name: string, help: string, lines: () => string): void => {
    if (pages.has(name)) throw new TypeError(`there are two metrics called ${name}`);
    const head = `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${kind}\n`;
    pages.set(name, () => head + lines());
  };

  return {
    counters: (name, help, labels, most = usualMost) => {
      const family = new Family(name, labels, () => new Counter(), most);
      add('counter', name, help, () => counterLines(family, family.members()));
      return family;
    },
    histograms: (name, help, labels, bounds) => {
      const family = new Family(name, labels, () => new Histogram(bounds), usualMost);
      add('histogram', name, help, () => histogramLines(family, family.members()));
      return family;
    },
    reading: (kind, name, help, labels, read) => {
      add(kind, name, help, () => {
        const family = new Family(name, labels, () => new Counter(), usualMost);
        read((value, ...values) => {
          family.of(...values).value += value;
        });
        return counterLines(family, family.members());
      });
    },
    text: () => [...pages.values()].map((page) => page()).join(''),
  };
};
