// Our executor, with either planner, the subgraphs behind the gateway's own contract for transports.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RequestError } from '@orderstream/runtime/errors';
import { compileOperation } from '../../gateway/src/execute/compile.ts';
import type { Operation } from '../../gateway/src/execute/operation.ts';
import type { QueryPlan } from '../../gateway/src/plan/query-plan.ts';
import { openSupergraph } from '../../gateway/src/plan/supergraph.ts';
import type { Receiver, Transport } from '../../gateway/src/transport/transport.ts';
import type { Answer } from './answer.ts';
import { type Asking, askSubgraph, type Contestant, coerced, type Query } from './contest.ts';
import { startPlanner } from './planner-process.ts';
import { subgraphNames, supergraphSdl } from './schemas.ts';

const fromBinary = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');
const toBinary = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** A subgraph in this process, which may be away. */
const transportTo = (name: string): Transport<Asking> => ({
  send: (body: string, isQuery: boolean, asking: Asking, receiver: Receiver): void => {
    if (asking.away === name) {
      // Some ways fail at once, others later.
      const fail = (): void => receiver.failed(new RequestError('SUBGRAPH_UNAVAILABLE'));
      if (asking.late()) setImmediate(fail);
      else fail();
      return;
    }
    const request = JSON.parse(fromBinary(body));
    if (isQuery === request.query.trimStart().startsWith('mutation'))
      throw new Error(`${name} was told a ${isQuery ? 'query' : 'mutation'}: ${request.query}`);
    askSubgraph(name, request, asking).then(
      (answer) => receiver.answered(toBinary(JSON.stringify(answer))),
      (error: Error) => receiver.answered(toBinary(JSON.stringify({ errors: [{ message: error.message }] }))),
    );
  },
  close: async () => undefined,
});

const supergraphFile = (): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'orderstream-oracle-')), 'supergraph.graphql');
  writeFileSync(file, supergraphSdl);
  return file;
};

/** Operations are compiled once and asked several times, as in the gateway. */
const remembered = 100;

export const openOurs = (planner: 'rust' | 'apollo'): Contestant => {
  const apollo = openSupergraph(supergraphSdl, { planner: 'apollo', planningMs: 60_000 });
  const supergraph = planner === 'apollo' ? apollo : openSupergraph(supergraphSdl);
  const transports = new Map(subgraphNames.map((name) => [name, transportTo(name)]));
  const known = new Map<string, Operation<Asking>>();
  const { signal } = new AbortController();
  const rust = planner === 'rust' ? startPlanner(supergraphFile()) : null;
  let refused = 0;
  // What the Rust planner refuses the other one plans; both plans are run by the same executor.
  const planOf = async (text: string): Promise<QueryPlan> => {
    const told = await rust?.plan(text);
    if (told && 'plan' in told) return told.plan;
    if (told) refused += 1;
    return apollo.planner.plan(text, undefined, signal);
  };
  const operationOf = async ({ document, text }: Query): Promise<Operation<Asking>> => {
    const found = known.get(text);
    if (found) return found;
    const plan = await planOf(text);
    const operation = compileOperation<Asking>({ supergraph, document, plan, transports });
    if (known.size === remembered) known.clear();
    known.set(text, operation);
    return operation;
  };
  return {
    name: `our executor with the ${planner === 'rust' ? 'Rust' : 'Apollo'} planner`,
    refused: () => ({ refused, deaths: rust?.deaths() ?? 0 }),
    close: () => rust?.stop(),
    answer: async (query, asking) => {
      const operation = await operationOf(query);
      const variables = coerced(supergraph.apiSchema, query);
      if (variables === null) throw new Error('the variables do not fit');
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      let isDone = false;
      operation.run(variables, asking, {
        done: (body, hasErrors) => {
          if (isDone) reject(new Error('answered twice'));
          isDone = true;
          const answer: Answer = JSON.parse(fromBinary(body));
          if (hasErrors !== (answer.errors !== undefined))
            reject(new Error(`hasErrors is ${hasErrors}: ${body}`));
          resolve(answer);
        },
      });
      return promise;
    },
  };
};
