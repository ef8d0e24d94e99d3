// The shape of the project. These tables are its documentation: who may import whom, and which files there are.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** What a package may import of ours. Tests may import anything by its public door. */
const mayImport: Readonly<Record<string, RegExp>> = {
  runtime: /^$/,
  gateway: /^@orderstream\/runtime\//,
  subgraphs: /^@orderstream\/(runtime\/.+|[a-z-]+\/messages)$/,
  // The simulators stand for somebody else's software.
  'ops/simulators': /^$/,
};

/** What the files of a subgraph are, by name; any other is a noun. */
const roles: readonly (readonly [role: string, names: RegExp])[] = [
  ['index', /^index$/],
  ['context', /^context$/],
  ['messages', /^messages$/],
  ['door', /^(resolvers|handlers|webhooks|jobs|subscriptions)$/],
  ['service', /^(.+-)?service$/],
  ['store', /^(.+-)?store$/],
  ['copy', /^.+-copy$/],
];
const roleOf = (name: string): string => roles.find(([, names]) => names.test(name))?.[0] ?? 'noun';

/** Imports run one way. Whoever speaks of the schema's types uses the generated ones, never a copy; rows are the store's. */
const runsOneWay: Readonly<Record<string, readonly string[]>> = {
  messages: [],
  noun: ['noun', 'messages', 'schema'],
  store: ['noun', 'store', 'messages', 'schema', 'rows'],
  copy: ['noun', 'store', 'copy', 'messages', 'schema', 'rows'],
  service: ['noun', 'store', 'copy', 'service', 'messages', 'context', 'schema', 'rows'],
  context: ['noun', 'store', 'copy', 'schema', 'rows'],
  door: ['noun', 'store', 'copy', 'service', 'messages', 'context', 'schema', 'rows', 'door'],
  index: ['noun', 'store', 'copy', 'service', 'messages', 'context', 'schema', 'rows', 'door'],
};

const drawers = /(^|[-/])(utils?|common|helpers?|lib|libs|shared|misc|packages)([-./]|$)/;
const longest = 400;

const root = path.resolve(import.meta.dirname, '..');
const isTest = (file: string): boolean =>
  /\.test\.ts$|\/(testing|test-[a-z-]+|fixture-[a-z-]+)\.ts$/.test(file);
const files = globSync(['{runtime,gateway,subgraphs,ops,tests,prisma}/**/*.ts', '*.ts'], {
  cwd: root,
  exclude: (name) => /(^|\/)(generated|node_modules)$/.test(name),
});
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const importsOf = (file: string): string[] =>
  [
    ...read(file).matchAll(
      /^(?:import|export)\b[^;]*?from '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm,
    ),
  ].map((found) => (found[1] ?? found[2] ?? found[3])!);

const sources = files.filter((file) => !isTest(file)).map((file) => ({ file, imports: importsOf(file) }));
const inSubgraph = sources.flatMap(({ file, imports }) => {
  const [, folder, name] = /^subgraphs\/([^/]+)\/src\/([^/]+)\.ts$/.exec(file) ?? [];
  return folder && name ? [{ file, folder, role: roleOf(name), imports }] : [];
});

const madeOf = (from: string): string | null =>
  from.startsWith('./generated/prisma') ? 'rows' : from.startsWith('./generated/') ? 'schema' : null;

test('imports between packages run one way, through public doors', () => {
  const wrong = sources.flatMap(({ file, imports }) => {
    const area = Object.keys(mayImport).find((folder) => file.startsWith(`${folder}/`));
    if (!area) return [];
    const home = file.split('/').slice(0, area === 'subgraphs' || area === 'ops/simulators' ? -1 : 1);
    const own =
      area === 'subgraphs'
        ? file.split('/').slice(0, 2).join('/')
        : area === 'ops/simulators'
          ? area
          : home[0]!;
    return imports
      .filter((from) =>
        from.startsWith('.')
          ? !path.join(path.dirname(file), from).startsWith(`${own}/`)
          : from.startsWith('@orderstream/') && !mayImport[area]!.test(from),
      )
      .map((from) => `${file} imports ${from}`);
  });
  expect(wrong.filter((line) => !line.startsWith('subgraphs/main.ts'))).toEqual([]);
});

test('inside a subgraph imports run from the doors to the nouns', () => {
  const wrong = inSubgraph.flatMap(({ file, role, imports }) =>
    imports
      .filter((from) => from.startsWith('./'))
      .map((from) => ({ from, of: madeOf(from) ?? roleOf(path.basename(from, '.ts')) }))
      .filter(({ of }) => !runsOneWay[role]!.includes(of))
      .map(({ from, of }) => `${file} (${role}) imports ${from} (${of})`),
  );
  expect(wrong).toEqual([]);
});

test('every subgraph is a value in index.ts, and its source is one flat folder', () => {
  const folders = globSync('subgraphs/*/package.json', { cwd: root }).map((file) => file.split('/')[1]!);
  const withIndex = inSubgraph.filter(({ role }) => role === 'index').map(({ folder }) => folder);
  expect(withIndex.toSorted()).toEqual(folders.toSorted());
  const nested = files.filter((file) => /^subgraphs\/[^/]+\/(?!src\/[^/]+\.ts$)/.test(file));
  expect(nested).toEqual([]);
});

test('there are no drawers, names are in kebab-case, and files fit into a head', () => {
  expect(files.filter((file) => drawers.test(file))).toEqual([]);
  expect(files.filter((file) => !/^[a-z0-9-]+(\.(test|config))?\.ts$/.test(path.basename(file)))).toEqual([]);
  const lines = (file: string): number => read(file).split('\n').length;
  expect(files.filter((file) => lines(file) > longest + 1)).toEqual([]);
});
