// A market of four subgraphs in the test's own process, composed as real ones are and asked through the same contract.
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { RequestError } from '@orderstream/runtime/errors';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  getVariableValues,
  parse,
  subscribe,
  validate,
} from 'graphql';
import { openSupergraph, type Supergraph } from '../plan/supergraph.ts';
import { toBinary, toText } from '../transport/binary.ts';
import type { Transport } from '../transport/transport.ts';
import { compileOperation } from './compile.ts';
import { marketTexts, resolversFor } from './fixture-goods.ts';
import type { FormatError, Operation } from './operation.ts';

export type SubgraphRequest = {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
};

export type Called = {
  readonly subgraph: string;
  readonly request: SubgraphRequest;
  readonly isQuery: boolean;
};
/** What belongs to one request here: who was called. */
export type Asking = { readonly called: Called[] };

/** Replaces what a subgraph answers, a string as it is; what it throws is a failed call. */
export type Stub = (
  request: SubgraphRequest,
  real: () => ExecutionResult | PromiseLike<ExecutionResult>,
) => unknown;

export type Answered = {
  readonly data?: unknown;
  readonly errors?: { readonly message: string; readonly path?: unknown; readonly extensions?: unknown }[];
  readonly called: Called[];
  readonly text: string;
  readonly hasErrors: boolean;
};

const composed = composeServices(
  Object.entries(marketTexts).map(([name, text]) => ({
    name,
    url: `http://${name}.market/graphql`,
    typeDefs: parse(text),
  })),
);
if (!composed.supergraphSdl) throw new Error(composed.errors?.map(({ message }) => message).join('\n'));
export const marketSdl = composed.supergraphSdl;

const opened = new Map<string, Supergraph>();

/** One for all markets: a planner takes a moment to start. */
const supergraphBy = (planner: 'rust' | 'apollo'): Supergraph => {
  const supergraph = opened.get(planner) ?? openSupergraph(marketSdl, { planner, planningMs: 20_000 });
  opened.set(planner, supergraph);
  return supergraph;
};

export type Market = {
  readonly supergraph: Supergraph;
  readonly ask: (query: string, variables?: Record<string, unknown>) => Promise<Answered>;
  readonly compile: (query: string) => Promise<Operation<Asking>>;
  /** the events of a subscription, each made whole */
  readonly events: (query: string, variables?: Record<string, unknown>) => Promise<Answered[]>;
};

export const openMarket = (
  options: {
    readonly stubs?: Readonly<Record<string, Stub>>;
    readonly formatError?: FormatError<Asking>;
    readonly planner?: 'rust' | 'apollo';
  } = {},
): Market => {
  const supergraph = supergraphBy(options.planner ?? 'rust');
  const resolvers = resolversFor({ total: 0, log: [] });
  const schemas = new Map<string, GraphQLSchema>(
    Object.entries(marketTexts).map(([name, text]) => [
      name,
      buildSubgraphSchema([
        { typeDefs: parse(text), resolvers: resolvers[name as keyof typeof resolvers] as never },
      ]),
    ]),
  );
  const transports = new Map<string, Transport<Asking>>(
    [...schemas].map(([name, schema]) => [
      name,
      {
        send: (body, isQuery, asking, receiver) => {
          const request: SubgraphRequest = JSON.parse(toText(body));
          asking.called.push({ subgraph: name, request, isQuery });
          const document = parse(request.query);
          const real = () => execute({ schema, document, variableValues: request.variables });
          const answer = async () => {
            const wrong = validate(schema, document);
            if (wrong.length)
              throw new TypeError(`${name} was asked for what it does not know: ${wrong[0]!.message}`);
            const stub = options.stubs?.[name];
            return stub ? await stub(request, real) : await real();
          };
          answer().then(
            (told) => receiver.answered(toBinary(typeof told === 'string' ? told : JSON.stringify(told))),
            (cause) => receiver.failed(new RequestError('SUBGRAPH_UNAVAILABLE', undefined, { cause })),
          );
        },
        close: async () => {},
      } satisfies Transport<Asking>,
    ]),
  );

  const coerced = (document: DocumentNode, variables: Record<string, unknown>) => {
    const operation = document.definitions.find((one) => one.kind === 'OperationDefinition')!;
    const result = getVariableValues(supergraph.apiSchema, operation.variableDefinitions ?? [], variables);
    if (result.errors) throw result.errors[0]!;
    return result.coerced!;
  };

  const compile = async (query: string): Promise<Operation<Asking>> => {
    const document = parse(query);
    const wrong = validate(supergraph.apiSchema, document);
    if (wrong.length) throw wrong[0]!;
    const plan = await supergraph.planner.plan(query, undefined, new AbortController().signal);
    return compileOperation({ supergraph, document, plan, transports, formatError: options.formatError });
  };

  const read = (body: string, hasErrors: boolean, called: Called[]): Answered => {
    const text = toText(body);
    return { ...(JSON.parse(text) as object), called, text, hasErrors };
  };

  return {
    supergraph,
    compile,
    ask: async (query, variables = {}) => {
      const operation = await compile(query);
      const asking: Asking = { called: [] };
      return new Promise((resolve) => {
        operation.run(coerced(parse(query), variables), asking, {
          done: (body, hasErrors) => resolve(read(body, hasErrors, asking.called)),
        });
      });
    },
    events: async (query, variables = {}) => {
      const operation = await compile(query);
      const values = coerced(parse(query), variables);
      const { subgraph, body } = operation.source!;
      const request = JSON.parse(toText(body(values))) as SubgraphRequest;
      const source = await subscribe({
        schema: schemas.get(subgraph)!,
        document: parse(request.query),
        variableValues: request.variables,
      });
      if (!(Symbol.asyncIterator in source)) throw source.errors![0]!;
      const answers: Answered[] = [];
      for await (const event of source) {
        const asking: Asking = { called: [] };
        const told = Buffer.from(JSON.stringify(event)).toString('latin1');
        answers.push(
          await new Promise((resolve) => {
            operation.event!(told, values, asking, {
              done: (text, hasErrors) => resolve(read(text, hasErrors, asking.called)),
            });
          }),
        );
      }
      return answers;
    },
  };
};
