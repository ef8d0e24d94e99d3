// Our executor, with either planner, the subgraphs behind the gateway's own contract for transports.
import { RequestError } from '@orderstream/runtime/errors';
import { compileOperation } from '../../gateway/src/execute/compile.ts';
import type { Operation } from '../../gateway/src/execute/operation.ts';
import { openSupergraph } from '../../gateway/src/plan/supergraph.ts';
import type { Receiver, Transport } from '../../gateway/src/transport/transport.ts';
import type { Answer } from './answer.ts';
import { type Asking, askSubgraph, type Contestant, coerced, type Query } from './contest.ts';
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

/** Operations are compiled once and asked several times, as in the gateway. */
const remembered = 100;

export const openOurs = (planner: 'rust' | 'apollo'): Contestant => {
  const supergraph = openSupergraph(supergraphSdl, { planner, planningMs: 60_000 });
  const transports = new Map(subgraphNames.map((name) => [name, transportTo(name)]));
  const known = new Map<string, Operation<Asking>>();
  const { signal } = new AbortController();
  const operationOf = async ({ document, text }: Query): Promise<Operation<Asking>> => {
    const found = known.get(text);
    if (found) return found;
    const plan = await supergraph.planner.plan(text, undefined, signal);
    const operation = compileOperation<Asking>({ supergraph, document, plan, transports });
    if (known.size === remembered) known.clear();
    known.set(text, operation);
    return operation;
  };
  return {
    name: `our executor with the ${planner === 'rust' ? 'Rust' : 'Apollo'} planner`,
    close: () => supergraph.planner.close(),
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
