// Reads the configuration: YAML, or JSON, which is YAML as well. What is wrong is told all at once, each with its place.
import { ConfigError } from '@orderstream/runtime/config';
import { type Document, isMap, isScalar, LineCounter, parseDocument, Scalar, visit } from 'yaml';
import type { z } from 'zod';
import { configuration, type GatewayConfiguration } from './configuration.ts';
import { pathText, placeOf, type Step } from './places.ts';

type Problem = { readonly place: string; readonly what: string };

const variable = /\$(\$\{)|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g;

/** A value without quotes that is a variable and nothing else may be a number or a flag, as if it had been written there. */
const asWritten = (value: string): string | number | boolean => {
  if (/^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  return value === 'true' || value === 'false' ? value === 'true' : value;
};

/**
 * Puts in what the environment says: `${NAME}`, `${NAME:-otherwise}`; `$${` is a `${` that stays. It is done to values
 * that are parsed already, so that no secret can change what the file says.
 */
const substitute = (
  document: Document.Parsed,
  env: Readonly<Record<string, string | undefined>>,
  lines: LineCounter,
): Problem[] => {
  const problems: Problem[] = [];
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) return;
      const written = node.value;
      const value = written.replace(
        variable,
        (_whole, escaped?: string, name?: string, otherwise?: string) => {
          if (escaped) return escaped;
          const found = env[name!] || otherwise;
          if (found !== undefined) return found;
          const { line, col } = lines.linePos(node.range?.[0] ?? 0);
          problems.push({ place: `${line}:${col}`, what: `the environment has no ${name}` });
          return '';
        },
      );
      const isAlone = node.type === Scalar.PLAIN && /^\$\{[^}]*\}$/.test(written);
      node.value = isAlone ? asWritten(value) : value;
    },
  });
  return problems;
};

/** A key without a value is as good as none. */
const dropEmpty = (document: Document.Parsed): void => {
  visit(document, {
    Map: (_key, node) => {
      node.items = node.items.filter(
        ({ value }) => value !== null && !(isScalar(value) && value.value === null),
      );
    },
  });
};

const values = (document: Document.Parsed, told: (problems: readonly Problem[]) => ConfigError): unknown => {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    // A few lines of aliases of aliases can stand for gigabytes.
    if (error instanceof ReferenceError) throw told([{ place: '1:1', what: error.message }]);
    throw error;
  }
};

const steps = (path: readonly PropertyKey[]): Step[] =>
  path.map((step) => (typeof step === 'number' ? step : String(step)));

const problemsOf = (error: z.ZodError, place: (path: readonly Step[]) => string): Problem[] =>
  error.issues.flatMap((issue) => {
    const path = steps(issue.path);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        place: place([...path, key]),
        what: `${pathText([...path, key])} is not a setting`,
      }));
    const isMissing = issue.code === 'invalid_type' && issue.input === undefined && path.length > 0;
    return [
      {
        place: place(path),
        what: `${pathText(path) || 'the file'} ${issue.message}${isMissing ? ' and has none' : ''}`,
      },
    ];
  });

const byPlace = ({ place: a }: Problem, { place: b }: Problem): number => {
  const [lineA = 0, columnA = 0] = a.split(':').map(Number);
  const [lineB = 0, columnB = 0] = b.split(':').map(Number);
  return lineA - lineB || columnA - columnB;
};

const isSettings = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whatever the file says goes before what is said beneath it; of lists the whole. */
const over = (beneath: unknown, said: unknown): unknown => {
  if (said === undefined) return beneath;
  if (!isSettings(beneath) || !isSettings(said)) return said;
  const names = new Set([...Object.keys(beneath), ...Object.keys(said)]);
  return Object.fromEntries([...names].map((name) => [name, over(beneath[name], said[name])]));
};

/**
 * @param file the text of the file; empty text gives all defaults
 * @param env for `${NAME}`
 * @param name of the file, for what is told about it
 * @param beneath settings as they would stand in a file, which hold where the file says nothing
 * @throws ConfigError naming everything that is wrong, with line and column
 */
export const readConfiguration = (
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  name = 'gateway.yaml',
  beneath: object = {},
): GatewayConfiguration => {
  const lines = new LineCounter();
  const document = parseDocument(file, { lineCounter: lines, prettyErrors: false });
  const told = (problems: readonly Problem[]): ConfigError =>
    new ConfigError(problems.toSorted(byPlace).map(({ place, what }) => `${name}:${place} ${what}`));
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  // What follows the first error is mostly its echo.
  const [first] = document.errors;
  if (first) throw told([{ place: at(first.pos[0]), what: first.message }]);
  if (document.contents !== null && !isMap(document.contents))
    throw told([{ place: '1:1', what: 'the file needs settings: names with values' }]);

  const unknown = substitute(document, env, lines);
  dropEmpty(document);
  const { data, error } = configuration.safeParse(over(beneath, values(document, told)), {
    reportInput: true,
  });
  const wrong = error ? problemsOf(error, (path) => placeOf(document, lines, path)) : [];
  // A value that the environment did not give is wrong for that reason only.
  const places = new Set(unknown.map(({ place }) => place.split(':')[0]));
  const problems = [...unknown, ...wrong.filter(({ place }) => !places.has(place.split(':')[0]))];
  if (problems.length > 0 || !data) throw told(problems);
  return data;
};
