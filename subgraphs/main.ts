// Hosts the subgraphs named on the command line, or all of them: every folder beside this file is one.
import { readdirSync } from 'node:fs';
import { ConfigError } from '@orderstream/runtime/config';
import { host } from '@orderstream/runtime/host/host';
import type { Subgraph } from '@orderstream/runtime/subgraph';

const here = new URL('.', import.meta.url);
const folders = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const asked = process.argv.slice(2);
const names = asked.length === 0 || asked.includes('all') ? folders : asked;

const unknown = names.filter((name) => !folders.includes(name));
if (unknown.length > 0) {
  console.error(`There is no subgraph ${unknown.join(', ')}. There are: ${folders.join(', ')}.`);
  process.exit(2);
}

try {
  const subgraphs = await Promise.all(
    names.map(async (name): Promise<Subgraph> => {
      const module = await import(new URL(`${name}/src/index.ts`, here).href);
      return module[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    }),
  );
  const running = await host(subgraphs, process.env);
  console.log(JSON.stringify({ url: running.url, subgraphs: names }));
  const stop = async () => {
    // Whatever hangs is left behind after fifteen seconds; nothing is lost by it.
    setTimeout(() => process.exit(1), 15_000).unref();
    await running.stop();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exit(2);
}
