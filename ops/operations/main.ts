// `npm run operations -- check`: which stored operations a schema would break. Ends with 1 where there are any, 2 where it
// was asked wrongly or could not look.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { databaseUrlOf, platformSettings, readSettings } from '@orderstream/runtime/config';
import { openDatabase } from '@orderstream/runtime/database';
import { type Manifest, readManifest } from '@orderstream/runtime/manifest';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { checkOperations } from '../../gateway/src/persisted/check.ts';
import { openSupergraph } from '../../gateway/src/plan/supergraph.ts';
import { runningEnvironment } from '../stack/running.ts';
import { inWords, reportOf } from './report.ts';
import { storedManifests } from './stored.ts';

const usage = `npm run operations -- check [options]
  --schema FILE      what clients may ask, such as gateway/api.graphql
  --supergraph FILE  or the supergraph; the shop's own where neither is named
  --manifest FILE    operations as client tools write them; may be given several times
  --clients          also those that partners have stored in the shop: the running one, or that at DATABASE_URL
  --breaking-only    nothing of what is deprecated and still there
  --json             one line of JSON`;

const committed = new URL('../../gateway/supergraph.graphql', import.meta.url);

/** What clients may ask of a supergraph. */
const apiOf = (sdl: string): GraphQLSchema => {
  const { apiSchema, planner } = openSupergraph(sdl);
  planner.close();
  return apiSchema;
};

const readOptions = () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      schema: { type: 'string' },
      supergraph: { type: 'string' },
      manifest: { type: 'string', multiple: true, default: [] },
      clients: { type: 'boolean', default: false },
      'breaking-only': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.join() !== 'check') throw new Error('There is one thing to do: check.');
  if (values.schema !== undefined && values.supergraph !== undefined)
    throw new Error('--schema or --supergraph, not both.');
  if (values.manifest.length === 0 && !values.clients)
    throw new Error('Nothing to check: name a --manifest, or --clients.');
  return values;
};

const clientsOfShop = async (): Promise<Map<string, Manifest>> => {
  const env = runningEnvironment();
  const settings = readSettings(env, platformSettings.pick({ DATABASE_URL: true }));
  const users = openDatabase({
    url: databaseUrlOf(env, settings.DATABASE_URL, 'users'),
    applicationName: 'operations',
  });
  try {
    return await storedManifests(users);
  } finally {
    await users.close();
  }
};

const main = async (): Promise<number> => {
  try {
    const options = readOptions();
    const schema =
      options.schema === undefined
        ? apiOf(readFileSync(options.supergraph ?? committed, 'utf8'))
        : buildSchema(readFileSync(options.schema, 'utf8'));
    const manifests = new Map([
      ...options.manifest.map((file) => [file, readManifest(readFileSync(file, 'utf8'), file)] as const),
      ...(options.clients ? await clientsOfShop() : []),
    ]);
    const count = [...manifests.values()].reduce((sum, { size }) => sum + size, 0);
    const report = reportOf(count, checkOperations(schema, manifests), options['breaking-only']);
    console.log(options.json ? JSON.stringify(report) : inWords(report));
    return report.broken > 0 ? 1 : 0;
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
};

process.exitCode = await main();
