import path from 'node:path';
import { defineConfig } from 'prisma/config';

// One config for all subgraphs: each has its own schema, migrations, database and client. `npm run prisma -- orders …`
// sets these two; whoever calls prisma directly sets them too (PRISMA_SUBGRAPH=orders npx prisma --config prisma/…).
const { PRISMA_SUBGRAPH: subgraph, PRISMA_DATABASE_URL: url, PRISMA_FOLDER: folder } = process.env;
if (!subgraph)
  throw new Error(
    'Set PRISMA_SUBGRAPH to a folder of prisma/, or use: npm run prisma -- orders migrate status',
  );

const home = path.join(folder ?? import.meta.dirname, subgraph);

export default defineConfig({
  schema: path.join(home, 'schema.prisma'),
  migrations: { path: path.join(home, 'migrations') },
  // Without a database only the commands that need none work: generate, validate, format.
  ...(url ? { datasource: { url } } : {}),
});
