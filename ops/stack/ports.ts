import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { problems } from './problem.ts';

// Ports are chosen once and kept in the data folder, so that addresses stay the same from start to start. They lie
// below the range from which systems take ports for outgoing connections, so that none of those is in the way later.
const LOWEST = 20_000;
const COUNT = 10_000;

const names = ['postgres', 'redis', 'kafka', 'kafkaController'] as const;
export type PortName = (typeof names)[number];
export type Ports = Record<PortName, number>;

export type PortBook = {
  readonly ports: Readonly<Ports>;
  /** Another one, because somebody took the chosen port between our look and our start. Throws when it was asked for by number. */
  replace(name: PortName): Promise<number>;
};

export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });

const read = (file: string): Partial<Ports> => {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    return Object.fromEntries(
      names.flatMap((name) => (Number.isInteger(kept[name]) ? [[name, kept[name]]] : [])),
    );
  } catch {
    return {};
  }
};

/** The ports of this data folder: those asked for, else those of last time where still free, else new ones. */
export const openPorts = async (dir: string, wanted: Partial<Ports> = {}): Promise<PortBook> => {
  const file = path.join(dir, 'ports.json');
  const kept = read(file);
  const ports = {} as Ports;

  const fresh = async (): Promise<number> => {
    for (let attempt = 0; attempt < 200; attempt++) {
      const port = LOWEST + Math.floor(Math.random() * COUNT);
      const spoken = [ports, kept, wanted].some((some) => Object.values(some).includes(port));
      if (!spoken && (await isFree(port))) return port;
    }
    throw problems.noFreePort();
  };
  const save = () => {
    writeFileSync(`${file}.new`, `${JSON.stringify(ports, null, 2)}\n`);
    renameSync(`${file}.new`, file);
  };

  for (const name of names) {
    const asked = wanted[name];
    if (asked !== undefined && !(await isFree(asked))) throw problems.portTaken(name, asked);
    const last = kept[name];
    const isOurs =
      last !== undefined && !Object.values({ ...wanted, ...ports }).includes(last) && (await isFree(last));
    ports[name] = asked ?? (isOurs ? last : await fresh());
  }
  save();

  return {
    ports,
    replace: async (name) => {
      const asked = wanted[name];
      if (asked !== undefined) throw problems.portTaken(name, asked);
      ports[name] = await fresh();
      save();
      return ports[name];
    },
  };
};
