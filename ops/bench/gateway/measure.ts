// Measures one contender: whether it answers right, until when it is still warming up, and what a request costs.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { usageOf } from '../usage.ts';
import type { Contender } from './contenders.ts';
import { authorizationOf, type Delay, noDelay, setDelay } from './control.ts';
import type { Asked } from './load-messages.ts';
import type { Load } from './processes.ts';
import { type QueryName, questions } from './queries.ts';
import { type Exchange, openConnection, requestText } from './wire.ts';

export type Stage = {
  readonly load: Load;
  readonly subgraphsUrl: string;
};

export type Reply = {
  readonly data: unknown;
  readonly bytes: number;
  /** to subgraphs */
  readonly calls: number;
  /** sentences */
  readonly failures: readonly string[];
};

export type Sample = {
  /** microseconds of user and system time of the contender's process */
  readonly cpuUs: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** of one core, 0 to 1 and a little more */
  readonly busy: number;
  /** milliseconds */
  readonly p50: number;
  readonly p99: number;
  /** subgraph calls of one request */
  readonly calls: number;
  readonly errors: number;
  /** subgraph calls without the client's authorization */
  readonly unauthorized: number;
};

// Every run has authorizations of its own.
let runs = 0;

const bodyOf = (query: QueryName): string => JSON.stringify({ query: questions[query].text });

/** One request on a connection of its own. */
export const exchange = async (port: number, request: string): Promise<Exchange | null> => {
  const connection = await openConnection(port);
  try {
    return await new Promise((heard) => connection.ask(request, heard));
  } finally {
    connection.close();
  }
};

/** One request by itself, a second time: what is answered, and whether the client's authorization was with every call. */
export const ask = async (
  { subgraphsUrl }: Stage,
  { name, port, tokens }: Contender,
  query: QueryName,
): Promise<Reply> => {
  runs += 1;
  const authorization = tokens ? `Bearer ${tokens[0]}` : authorizationOf(runs, 0);
  const request = requestText(port, bodyOf(query), authorization);
  // What is asked first may be answered with another layout than what is known.
  await exchange(port, request);
  await setDelay(subgraphsUrl, noDelay);
  const answer = await exchange(port, request);
  const seen = await setDelay(subgraphsUrl, noDelay);
  const failures: string[] = [];
  const fail = (what: string): void => void failures.push(`${name}, ${query}: ${what}`);
  if (answer?.status !== 200) fail(`answered with ${answer?.status ?? 'a broken connection'}`);
  const { data, errors } = answer?.status === 200 ? JSON.parse(answer.body.toString('utf8')) : {};
  if (errors !== undefined) fail(`errors: ${JSON.stringify(errors).slice(0, 300)}`);
  const strangers = seen.last.filter((one) => one !== null && one !== authorization);
  if (strangers.length > 0) fail('a subgraph was asked without the authorization of who asks');
  return { data, bytes: answer?.body.length ?? 0, calls: seen.calls, failures };
};

export type Wish = {
  readonly query: QueryName;
  readonly limit: Asked['limit'];
  readonly expectedBytes: number;
  readonly isIdentical?: boolean;
  readonly delay?: Delay;
};

export const measure = async (
  { load, subgraphsUrl }: Stage,
  { name, port, pid, tokens }: Contender,
  { query, limit, expectedBytes, isIdentical = false, delay = noDelay }: Wish,
): Promise<Sample> => {
  runs += 1;
  await setDelay(subgraphsUrl, delay);
  const cpuMs = (): number => usageOf({ [name]: pid })[name]!.cpuMs;
  const before = cpuMs();
  const heard = await load.ask({
    number: runs,
    port,
    body: bodyOf(query),
    connections: questions[query].connections,
    limit,
    expectedBytes,
    tokens,
    isIdentical,
  });
  const used = cpuMs() - before;
  const seen = await setDelay(subgraphsUrl, noDelay);
  const { requests, errors, seconds, took } = heard;
  return {
    cpuUs: (used * 1_000) / Math.max(1, requests),
    requests,
    requestsPerSecond: requests / seconds,
    busy: used / 1_000 / seconds,
    p50: took.p50 ?? 0,
    p99: took.p99 ?? 0,
    calls: seen.calls / Math.max(1, requests),
    errors,
    unauthorized: isIdentical ? 0 : seen.unauthorized,
  };
};

/** Two rounds in which the figure stood still to five in a hundred are enough. */
const stillWithin = 0.05;
const warmUpRounds = 8;

/** Rounds until the figure stands still, answers how many requests that took. */
export const warmUp = async (
  stage: Stage,
  contender: Contender,
  wish: Omit<Wish, 'limit'>,
  mostRequests: number,
): Promise<number> => {
  const requests = Math.ceil(mostRequests / warmUpRounds);
  let [last, asked] = [Number.POSITIVE_INFINITY, 0];
  while (asked < mostRequests) {
    const { cpuUs } = await measure(stage, contender, { ...wish, limit: { requests } });
    asked += requests;
    if (Math.abs(cpuUs - last) / last < stillWithin) break;
    last = cpuUs;
  }
  return asked;
};

/** MiB; null of a process that has ended */
export const peakMemory = (pid: number): number | null => {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return found === undefined ? null : Math.round(Number(found) / 1_024);
  } catch {
    return null;
  }
};

/** For the figures of what comes after to be nobody's garbage but their own. */
export const breathe = (ms: number): Promise<unknown> => once(AbortSignal.timeout(ms), 'abort');
