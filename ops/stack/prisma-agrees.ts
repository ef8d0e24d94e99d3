import { execFile } from 'node:child_process';
import path from 'node:path';
import { config, prismaCli, prismaEnvironment } from '../../prisma/environment.ts';
import { prismaFolder } from './migrations.ts';

/**
 * What `prisma migrate diff` would still change to make the database agree with the subgraph's Prisma schema, as SQL;
 * empty when they agree. The schema `plumbing` (outbox, inbox, deadlines, …) belongs to the runtime and is not compared.
 */
export const schemaDrift = (subgraph: string, databaseUrl: string, folder = prismaFolder): Promise<string> =>
  new Promise((resolve, reject) => {
    const schema = path.join(folder, subgraph, 'schema.prisma');
    const diff = [
      'migrate',
      'diff',
      '--from-config-datasource',
      '--to-schema',
      schema,
      '--script',
      '--exit-code',
    ];
    const env = prismaEnvironment({ subgraph, databaseUrl, folder, env: process.env });
    execFile(process.execPath, [prismaCli, ...diff, '--config', config], { env }, (error, stdout, stderr) => {
      if (!error) resolve('');
      // 2 says that they differ; anything else, that they could not be compared.
      else if (error.code === 2) resolve(stdout.trim());
      else
        reject(
          new Error(`prisma migrate diff failed for ${subgraph}: ${stderr || stdout}`, { cause: error }),
        );
    });
  });
