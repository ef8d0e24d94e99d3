// The gateway as a package of its own: `npm run package` makes the folder that `npm pack` and `npm publish` take.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const root = resolve(import.meta.dirname, '../..');

type Manifest = {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;

const nameOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Loaded when it is known which of them is used. */
const planners = [
  '@apollo/federation-internals',
  '@apollo/query-planner',
  '@graphql-hive/router-query-planner',
];

/** Our own sources go in; packages stay outside, and are named with the versions that they were tested with. */
const isOurs = (specifier: string): boolean =>
  specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('@orderstream/');

/** The program, and the one that it starts for planning. */
const programs = { main: 'standalone/main.ts', 'planner-process': 'plan/planner-process.ts' };

/** Adds to `needed` the names of the packages that the result needs. */
const bundle = async (into: string, name: string, source: string, needed: Set<string>): Promise<void> => {
  const build = await rolldown({
    input: join(root, 'gateway/src', source),
    platform: 'node',
    external: (specifier) => {
      if (isOurs(specifier)) return false;
      const wanted = nameOf(specifier);
      if (!specifier.startsWith('node:') && !builtinModules.includes(wanted)) needed.add(wanted);
      return true;
    },
  });
  await build.write({ file: join(into, `${name}.js`), format: 'esm', codeSplitting: false });
  await build.close();
};

/** @param into is emptied */
export const packGateway = async (into: string): Promise<void> => {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  const needed = new Set(planners);
  for (const [name, source] of Object.entries(programs)) await bundle(into, name, source, needed);
  const { version, license, dependencies } = manifestOf('gateway');
  const known = { ...manifestOf('runtime').dependencies, ...dependencies };
  const chosen = [...needed].sort().map((name) => {
    const wanted = known[name];
    if (!wanted) throw new Error(`${name} is imported, and no package.json says in which version`);
    return [name, wanted] as const;
  });
  const manifest = {
    name: '@orderstream/gateway',
    version,
    description: 'A gateway for any Apollo Federation 2 supergraph',
    license,
    type: 'module',
    engines: { node: '>=22' },
    bin: { 'orderstream-gateway': 'main.js' },
    files: ['*.js', 'README.md', 'gateway.example.yaml', 'LICENSE'],
    dependencies: Object.fromEntries(chosen),
  };
  writeFileSync(join(into, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, 'docs/gateway.md'), join(into, 'README.md'));
  cpSync(join(root, 'gateway/gateway.example.yaml'), join(into, 'gateway.example.yaml'));
  cpSync(join(root, 'LICENSE'), join(into, 'LICENSE'));
};
