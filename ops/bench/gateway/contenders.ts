// Who is measured, and how each is started.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gatewayFlags } from '../../gateway/flags.ts';
import { packGateway } from '../../gateway/package.ts';
import { configurationOf } from './configurations.ts';
import { freePort, type Program, type Running, start } from './processes.ts';
import { type QueryName, questions } from './queries.ts';
import type { Tokens } from './tokens.ts';

export type Contender = {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** milliseconds until it answered first; null of one that was there already */
  readonly startMs: number | null;
  /** of those who ask it; null where they need none */
  readonly tokens: readonly string[] | null;
  /** null for all */
  readonly only: QueryName | null;
  readonly stop: () => Promise<void>;
};

/** Why a contender is not measured. */
export type Absence = { readonly name: string; readonly because: string };

export type Place = {
  /** for files of this run */
  readonly folder: string;
  /** of users that one of us knows */
  readonly tokens: Tokens;
  readonly supergraphFile: string;
  readonly subgraphsUrl: string;
  /** what the small query is answered with */
  readonly smallAnswer: string;
};

type Plan = {
  readonly name: string;
  readonly needsTokens?: true;
  readonly only?: QueryName;
  readonly program: (place: Place, port: number) => Omit<Program, 'isGateway'>;
};

export const reference = '@apollo/gateway';
/** with connections of their own for each call, and shared ones where subgraphs name the calls they answer */
export const ours = ['ours', 'ours (shared connections)'] as const;

const root = resolve(import.meta.dirname, '../../..');
const beside = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const peersCache = join(root, '.data', 'bench-peers');
/** ours as it is shipped */
const ourPackage = join(root, '.data', 'bench-gateway');

const apollo: Plan = {
  name: reference,
  program: ({ supergraphFile }, port) => ({
    command: [beside('contenders/apollo.ts'), supergraphFile, String(port)],
    env: { APOLLO_TELEMETRY_DISABLED: '1' },
  }),
};

const ourPlan = (name: string, configuration: string): Plan => ({
  name,
  program: ({ supergraphFile, folder }, port) => {
    const config = join(folder, `${name.replaceAll(/\W+/g, '-')}.json`);
    writeFileSync(config, configuration);
    return {
      command: [
        ...gatewayFlags,
        join(ourPackage, 'main.js'),
        ...['--supergraph', supergraphFile, '--config', config, '--port', String(port)],
      ],
    };
  },
});

const hive: Plan = {
  name: 'Hive Gateway',
  program: ({ supergraphFile }, port) => ({
    command: [
      'node_modules/@graphql-hive/gateway/dist/bin.js',
      'supergraph',
      supergraphFile,
      '--config-path',
      'hive.config.mjs',
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
    ],
    folder: peersCache,
  }),
};

const floors: readonly Plan[] = [
  {
    name: 'floor: a constant',
    only: 'small',
    program: ({ smallAnswer }, port) => ({
      command: [beside('contenders/constant.ts'), smallAnswer, String(port)],
    }),
  },
  {
    name: 'floor: one call of undici',
    only: 'small',
    program: ({ subgraphsUrl }, port) => ({
      command: [beside('contenders/one-call.ts'), `${subgraphsUrl}/accounts`, String(port)],
    }),
  },
];

/** Copies the lock and installs what it says, once; answers why that was not possible. */
const installPeers = (): string | null => {
  const own = beside('peers/package-lock.json');
  const installed = join(peersCache, 'installed-lock.json');
  const isInstalled = existsSync(installed) && readFileSync(installed).equals(readFileSync(own));
  mkdirSync(peersCache, { recursive: true });
  for (const file of ['package.json', 'package-lock.json', 'hive.config.mjs'])
    copyFileSync(beside(`peers/${file}`), join(peersCache, file));
  if (isInstalled) return null;
  const { status, stderr, error } = spawnSync(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev'],
    { cwd: peersCache, encoding: 'utf8', timeout: 300_000 },
  );
  if (status !== 0) return `npm ci: ${(error?.message ?? stderr).trim().split('\n')[0]}`;
  copyFileSync(own, installed);
  return null;
};

const asks = { method: 'POST', headers: { 'content-type': 'application/json' } };

/** What a process that gave up complained of, in a line. */
const complaint = (said: string): string =>
  said.split('\n').find((line) => /error/i.test(line)) ?? said.split('\n')[0] ?? '';

/** Until it answers, for 60 seconds at most. */
const awake = async (port: number, running: Running): Promise<string | null> => {
  const body = JSON.stringify({ query: questions.small.text });
  let last = 'nothing';
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    if (running.hasEnded()) return complaint(running.said()) || 'it ended';
    try {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, { ...asks, body });
      if (response.status === 200) return null;
      last = `${response.status} ${(await response.text()).slice(0, 200)}`;
    } catch {
      // Not yet.
    }
    await new Promise((later) => setTimeout(later, 25));
  }
  return `it did not answer in a minute: ${complaint(running.said()) || last}`;
};

const begin = async (plan: Plan, place: Place): Promise<Contender | Absence> => {
  const { name, only = null, needsTokens, program } = plan;
  const port = await freePort();
  const startedAt = performance.now();
  const running = start({ ...program(place, port), isGateway: true });
  const because = await awake(port, running);
  if (because !== null) {
    await running.stop();
    return { name, because };
  }
  const startMs = Math.round(performance.now() - startedAt);
  const tokens = needsTokens ? place.tokens.all : null;
  return { name, port, pid: running.pid, startMs, tokens, only, stop: running.stop };
};

/** `name=url=pid,…` of gateways that somebody else has started on this supergraph. */
const readPeers = (text: string): Contender[] =>
  text
    .split(',')
    .filter((peer) => peer !== '')
    .map((peer) => {
      const [, name, url, pid] = /^([^=]+)=(.+)=(\d+)$/.exec(peer) ?? [];
      if (!name || !url || !pid) throw new Error(`PEERS holds name=url=pid, not ${peer}.`);
      const port = Number(new URL(url).port);
      return {
        name,
        port,
        pid: Number(pid),
        startMs: null,
        tokens: null,
        only: null,
        stop: async () => undefined,
      };
    });

export type Wanted = {
  /** names; null for all, and the reference always */
  readonly only: readonly string[] | null;
  readonly withPeers: boolean;
};

/** Starts all of them, one after the other, the reference first. */
export const startContenders = async (
  place: Place,
  { only, withPeers }: Wanted,
): Promise<{ readonly contenders: Contender[]; readonly absences: Absence[] }> => {
  const contenders: Contender[] = [];
  const absences: Absence[] = [];
  const isWanted = ({ name }: { readonly name: string }): boolean =>
    name === reference || only === null || only.includes(name);
  const keysFile = join(place.folder, 'keys.json');
  writeFileSync(keysFile, place.tokens.keys);
  await packGateway(ourPackage);
  const plans: Plan[] = [
    apollo,
    ourPlan(ours[0], configurationOf({ sharing: 'never' })),
    ourPlan(ours[1], configurationOf({ sharing: 'echoed' })),
    { ...ourPlan('ours (JWT)', configurationOf({ sharing: 'never', keysFile })), needsTokens: true },
  ];
  if (withPeers && isWanted(hive)) {
    const because = installPeers();
    if (because === null) plans.push(hive);
    else absences.push({ name: hive.name, because });
  }
  for (const plan of [...plans, ...floors].filter(isWanted)) {
    const begun = await begin(plan, place);
    if ('because' in begun) absences.push(begun);
    else contenders.push(begun);
  }
  return { contenders: [...contenders, ...readPeers(process.env.PEERS ?? '')], absences };
};
