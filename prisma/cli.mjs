#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';
import { readAddresses } from '../ops/stack/addresses.ts';
import { databaseOf } from '../ops/stack/migrate.ts';
import { config, prismaCli, prismaEnvironment } from './environment.ts';

// npm run prisma -- <subgraph> <command of prisma> …
// The database is the subgraph's own on DATABASE_URL, or on the server of a running `npm start`.

const [subgraph, ...command] = process.argv.slice(2);
const known = globSync('*/schema.prisma', { cwd: import.meta.dirname }).map((file) => path.dirname(file));
if (!subgraph || !known.includes(subgraph) || command.length === 0) {
  console.error(`Usage: npm run prisma -- <${known.sort().join('|')}> migrate status`);
  process.exit(1);
}

const data = path.resolve(import.meta.dirname, '..', process.env.ORDERSTREAM_DATA ?? '.data');
const server = process.env.DATABASE_URL ?? readAddresses(data)?.databaseUrl;
const own = `${subgraph.toUpperCase().replaceAll('-', '_')}_DATABASE_URL`;
const databaseUrl =
  server || process.env[own] ? databaseOf(subgraph, server ?? '', process.env).url : undefined;
if (!databaseUrl && ['migrate', 'db', 'studio'].includes(command[0])) {
  console.error('No database is known: run npm start in another terminal, or set DATABASE_URL.');
  process.exit(1);
}

const env = prismaEnvironment({ subgraph, databaseUrl, env: process.env });
const { status } = spawnSync(process.execPath, [prismaCli, ...command, '--config', config], {
  stdio: 'inherit',
  env,
});
process.exit(status ?? 1);
