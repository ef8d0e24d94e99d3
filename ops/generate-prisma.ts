import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { config, prismaCli, prismaEnvironment } from '../prisma/environment.ts';

const root = path.resolve(import.meta.dirname, '..');
const cache = path.join(root, 'node_modules/.cache/orderstream');

/** Generates the Prisma client of every subgraph whose schema changed since last time. Needs neither network nor database. */
export const generatePrisma = async (): Promise<void> => {
  const files = globSync('prisma/*/schema.prisma', { cwd: root }).sort();
  const stale = files.filter((file) => !isFresh(file));
  // Each is a process of its own that mostly computes: as many at once as there are cores.
  const workers = Array.from({ length: Math.min(availableParallelism(), stale.length) }, async () => {
    for (let file = stale.shift(); file; file = stale.shift()) await generate(file);
  });
  await Promise.all(workers);
};

const subgraphOf = (file: string): string => path.basename(path.dirname(file));
const markOf = (file: string): string => path.join(cache, `prisma-${subgraphOf(file)}`);

/** A new version of Prisma generates anew, too. */
const fingerprint = (file: string): string => {
  const { version } = JSON.parse(
    readFileSync(path.join(root, 'node_modules/prisma/package.json'), 'utf8'),
  ) as {
    version: string;
  };
  return createHash('sha256')
    .update(version)
    .update(readFileSync(path.join(root, file)))
    .digest('hex');
};

const isFresh = (file: string): boolean => {
  const output = readFileSync(path.join(root, file), 'utf8').match(/^\s*output\s*=\s*"([^"]+)"/m)?.[1];
  const client = output && path.join(root, path.dirname(file), output, 'client.ts');
  const mark = markOf(file);
  return Boolean(
    client && existsSync(client) && existsSync(mark) && readFileSync(mark, 'utf8') === fingerprint(file),
  );
};

const generate = async (file: string): Promise<void> => {
  // Taken before the work: a schema that is edited meanwhile is generated again.
  const made = fingerprint(file);
  const subgraph = subgraphOf(file);
  const child = spawn(process.execPath, [prismaCli, 'generate', '--config', config], {
    env: prismaEnvironment({ subgraph, env: process.env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`prisma generate failed for ${file}:\n${said}`);
  mkdirSync(cache, { recursive: true });
  writeFileSync(markOf(file), made);
};

if (import.meta.main) await generatePrisma();
