// Supergraphs that change under load: real subgraphs over HTTP, real plans, and files that are replaced.

import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { composeServices } from '@apollo/composition';
import { createLog } from '@orderstream/runtime/log';
import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { compileOperation } from '../execute/compile.ts';
import type { Operation } from '../execute/operation.ts';
import type { Supergraph } from '../plan/supergraph.ts';
import { openHttpTransport } from '../transport/http.ts';
import type { Transport } from '../transport/transport.ts';
import { createReloading } from './reloading.ts';
import { openSoundSupergraph } from './sound-supergraph.ts';
import { watchSupergraph } from './supergraph-file.ts';
import { warmOperations } from './warm.ts';

const log = createLog('test', 'silent');
/** The other planner begins as a process of its own, which takes longer than a reload should in a test of twenty. */
const inThisProcess = { planner: 'apollo', planningMs: 10_000 } as const;

const sdlWith = (fields: string): string => {
  const text = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
    type Query { me: User } type User { name: String ${fields} }`;
  const { supergraphSdl, errors } = composeServices([
    { name: 'users', url: 'http://users', typeDefs: parse(text) },
  ]);
  if (!supergraphSdl) throw new Error(errors!.join('\n'));
  return supergraphSdl;
};
const first = sdlWith('nick: String');

/** Answers after a moment, so that reloads find requests under way. */
let users: Server;
let origin: string;
beforeAll(async () => {
  users = createServer((request, response) => {
    request.resume().on('end', () => {
      setTimeout(() => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"data":{"me":{"name":"Ann"}}}');
      }, Math.random() * 15);
    });
  }).listen(0, '127.0.0.1');
  await once(users, 'listening');
  origin = `http://127.0.0.1:${(users.address() as AddressInfo).port}`;
});
afterAll(() => users.close().closeAllConnections());

type Asking = null;
type Generation = {
  readonly supergraph: Supergraph;
  readonly operations: Map<string, Operation<Asking>>;
  readonly close: () => Promise<void>;
};

const openWorld = () => {
  const closed: string[] = [];
  const plannedLate: string[] = [];
  const prepare = async (
    { supergraph, operations }: Pick<Generation, 'supergraph' | 'operations'>,
    transports: ReadonlyMap<string, Transport<Asking>>,
    text: string,
  ): Promise<Operation<Asking>> => {
    const plan = await supergraph.planner.plan(text, undefined, new AbortController().signal);
    const operation = compileOperation<Asking>({ supergraph, document: parse(text), plan, transports });
    operations.set(text, operation);
    return operation;
  };
  const ways = new WeakMap<Generation, ReadonlyMap<string, Transport<Asking>>>();

  const open = async (sdl: string, before: Generation | null): Promise<Generation> => {
    const supergraph = openSoundSupergraph(sdl, inThisProcess);
    const transport = openHttpTransport<Asking>({
      name: 'users',
      origin,
      path: '/',
      headersOf: () => [],
      timeoutMs: 10_000,
      largestAnswer: 10_000,
    });
    const transports = new Map([['users', transport]]);
    const operations = new Map<string, Operation<Asking>>();
    const generation: Generation = {
      supergraph,
      operations,
      close: async () => {
        closed.push(sdl);
        supergraph.planner.close();
        await transport.close();
      },
    };
    ways.set(generation, transports);
    if (before)
      await warmOperations({
        texts: () => [...before.operations.keys()].map((text) => ({ text, operationName: undefined })),
        apiSchema: supergraph.apiSchema,
        prepare: (text) => prepare(generation, transports, text),
      });
    return generation;
  };

  const ask = async (reloading: Awaited<ReturnType<typeof start>>, query: string): Promise<string> => {
    const era = reloading.enter();
    try {
      const { generation } = era;
      const known = generation.operations.get(query);
      if (!known) plannedLate.push(query);
      const operation = known ?? (await prepare(generation, ways.get(generation)!, query));
      return await new Promise<string>((resolve) => operation.run({}, null, { done: resolve }));
    } finally {
      era.leave();
    }
  };
  const onSwap = vi.fn();
  const start = (longest?: number) => createReloading(first, { open, log, onSwap, longest });
  return { start, ask, closed, plannedLate, onSwap };
};

const answer = '{"data":{"me":{"name":"Ann"}}}';
const query = '{ me { name } }';

describe('a supergraph that changes', () => {
  test('under load fails no request, and plans none of the known ones anew', async () => {
    const { start, ask, closed, plannedLate } = openWorld();
    const reloading = await start();
    const answers = [await ask(reloading, query)];
    let isOver = false;
    const client = async () => {
      while (!isOver) answers.push(await ask(reloading, query));
    };
    const clients = Array.from({ length: 16 }, client);
    const reloads = 20;
    for (let at = 0; at < reloads; at += 1) {
      expect((await reloading.update(sdlWith(`f${at}: Int`))).outcome).toBe('accepted');
      const before = answers.length;
      await vi.waitFor(() => expect(answers.length).toBeGreaterThan(before + clients.length), {
        timeout: 10_000,
      });
    }
    isOver = true;
    await Promise.all(clients);
    expect(new Set(answers)).toEqual(new Set([answer]));
    expect(plannedLate).toEqual([query]);
    await vi.waitFor(() => expect(closed).toHaveLength(reloads));
    expect(reloading.counts()).toEqual({ accepted: reloads + 1, refused: 0, serving: 1 });
    await reloading.close();
    expect(closed).toHaveLength(reloads + 1);
  });

  test('lets a request end where it began, and closes the old one with the last of them', async () => {
    const { start, closed, onSwap } = openWorld();
    const reloading = await start();
    const [one, other] = [reloading.enter(), reloading.enter()];
    const second = sdlWith('age: Int');
    expect(await reloading.update(second)).toEqual({ outcome: 'accepted', number: 2 });
    expect(onSwap).toHaveBeenCalledExactlyOnceWith(reloading.current(), one.generation);
    expect(reloading.enter().number).toBe(2);
    one.leave();
    expect(closed).toEqual([]);
    other.leave();
    expect(closed).toEqual([first]);
  });

  test('does not wait for ever for who does not leave', async () => {
    const { start, closed } = openWorld();
    const reloading = await start(20);
    const era = reloading.enter();
    await reloading.update(sdlWith('age: Int'));
    await vi.waitFor(() => expect(closed).toEqual([first]));
    era.leave();
    expect(closed).toEqual([first]);
  });

  test.each([
    ['empty', '', ['The supergraph is empty.']],
    ['cut off', first.slice(0, first.length / 2), [expect.any(String)]],
    ['a plain schema', 'type Query { a: Int }', [expect.any(String)]],
    ['without a query', first.replace(/type Query[^{]*\{[^}]*\}/, ''), [expect.any(String)]],
  ])('is refused, and named, where it is %s', async (_, sdl, problems) => {
    const { start, ask } = openWorld();
    const reloading = await start();
    expect(await reloading.update(sdl)).toEqual({ outcome: 'refused', problems });
    expect(await ask(reloading, query)).toBe(answer);
    expect(reloading.counts()).toEqual({ accepted: 1, refused: 1, serving: 1 });
    expect((await reloading.update(sdlWith('age: Int'))).outcome).toBe('accepted');
    await reloading.close();
  });

  test('the newest is served, and those that it overtook are not opened', async () => {
    const { start } = openWorld();
    const reloading = await start();
    const outcomes = await Promise.all(
      ['a', 'b', 'c'].map((name) => reloading.update(sdlWith(`${name}: Int`))),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['overtaken', 'overtaken', 'accepted']);
    expect((await reloading.update(sdlWith('c: Int'))).outcome).toBe('unchanged');
    await reloading.close();
    expect((await reloading.update(first)).outcome).toBe('overtaken');
  });

  test('no first one is no gateway', async () => {
    const open = async () => openSoundSupergraph('nonsense', inThisProcess) as never;
    await expect(createReloading('nonsense', { open, log })).rejects.toThrow();
  });
});

test('what a new supergraph does not answer any more is left behind, the rest is ready', async () => {
  const { apiSchema } = openSoundSupergraph(sdlWith('age: Int'), inThisProcess);
  const known = ['{ me { nick } }', '{ me { age } }', '{ me { name } }', '{ nonsense'];
  const prepared: string[] = [];
  const warmed = await warmOperations({
    texts: () => known.map((text) => ({ text, operationName: undefined })),
    apiSchema,
    prepare: async (text) => {
      prepared.push(text);
      // Somebody asks for something new while the others are prepared.
      if (!known.includes('{ me { name age } }')) known.push('{ me { name age } }');
    },
  });
  expect(prepared).toEqual(['{ me { age } }', '{ me { name } }', '{ me { name age } }']);
  expect(warmed).toEqual({ kept: 3, dropped: 2 });
});

describe('a supergraph in a file', () => {
  const watching = (file: string, everyMs?: number) => {
    const texts: string[] = [];
    const watched = watchSupergraph({
      file,
      sdl: 'one',
      onText: (text) => texts.push(text),
      log,
      quietMs: 20,
      everyMs,
    });
    return { texts, watched };
  };
  const folder = () => mkdtempSync(path.join(tmpdir(), 'supergraph-'));
  const told = (texts: string[], ...expected: string[]) =>
    vi.waitFor(() => expect(texts).toEqual(expected), { timeout: 5_000 });

  test('is read when it is written to, or another is put in its place, and not when its text is the same', async () => {
    const file = path.join(folder(), 'supergraph.graphql');
    writeFileSync(file, 'one');
    const { texts, watched } = watching(file);
    await watched.look();
    writeFileSync(file, 'two');
    await told(texts, 'two');
    writeFileSync(`${file}.new`, 'three');
    renameSync(`${file}.new`, file);
    await told(texts, 'two', 'three');
    writeFileSync(file, 'three');
    await pause(60);
    await watched.look();
    expect(texts).toEqual(['two', 'three']);
    watched.close();
    writeFileSync(file, 'four');
    await pause(60);
    expect(texts).toEqual(['two', 'three']);
  });

  test('may be a link whose target changes, as in a ConfigMap', async () => {
    const at = folder();
    for (const version of ['1', '2']) writeFileSync(path.join(at, `data-${version}`), `version ${version}`);
    symlinkSync('data-1', path.join(at, '..data'));
    symlinkSync('..data', path.join(at, 'supergraph.graphql'));
    const { texts, watched } = watching(path.join(at, 'supergraph.graphql'));
    await told(texts, 'version 1');
    symlinkSync('data-2', path.join(at, '..new'));
    renameSync(path.join(at, '..new'), path.join(at, '..data'));
    await told(texts, 'version 1', 'version 2');
    watched.close();
  });

  test('may be away for a while', async () => {
    const file = path.join(folder(), 'supergraph.graphql');
    writeFileSync(file, 'one');
    const { texts, watched } = watching(file);
    rmSync(file);
    await pause(60);
    await watched.look();
    writeFileSync(file, 'two');
    await told(texts, 'two');
    watched.close();
  });

  test('is looked at from time to time where nobody tells', async () => {
    const at = folder();
    const elsewhere = path.join(folder(), 'target');
    writeFileSync(elsewhere, 'one');
    symlinkSync(elsewhere, path.join(at, 'supergraph.graphql'));
    const { texts, watched } = watching(path.join(at, 'supergraph.graphql'), 20);
    await pause(80);
    // Nothing happens in the folder that is watched.
    writeFileSync(elsewhere, 'two');
    await told(texts, 'two');
    watched.close();
  });
});
