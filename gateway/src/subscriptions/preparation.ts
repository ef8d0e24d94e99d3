// A client's subscription before it runs: read, checked, planned and compiled, each of it once for all who ask the same.

import { RequestError } from '@orderstream/runtime/errors';
import {
  type DocumentNode,
  GraphQLError,
  getOperationAST,
  type OperationDefinitionNode,
  print,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Authority } from '../auth/authority.ts';
import type { Standing } from '../auth/standing.ts';
import { compileOperation } from '../execute/compile.ts';
import type { FormatError, Operation, Variables } from '../execute/operation.ts';
import { completed } from '../operations/completed.ts';
import type { Supergraph } from '../plan/supergraph.ts';
import type { Transport } from '../transport/transport.ts';
import { type MarkReader, withMarks } from './marks.ts';
import { type Resumable, resumable } from './resume.ts';
import { hasRootConditions, withoutRootConditions, withoutUnusedVariables } from './root-conditions.ts';

export type SubscribeRequest = {
  /** the text; empty where it is named by an id or a hash */
  readonly query: string;
  readonly id?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
};

export type Live<Asking> = {
  /** as it came, to be prepared again with another supergraph */
  readonly request: SubscribeRequest;
  readonly operation: Operation<Asking>;
  /** coerced, defaults filled in, and only those that are used */
  readonly variables: Variables;
  /** Equal for all who ask for the same. */
  readonly key: string;
  readonly read: MarkReader | null;
  /** The last event is the state of the one thing watched. */
  readonly isState: boolean;
  /** the version that this client has already */
  readonly since: number | null;
};

/** What an operation has to stand; replaced with the supergraph. */
export type Rules<Asking> = {
  /** @throws RequestError or GraphQLError for what is no GraphQL, or too much of it */
  readonly parse: (text: string) => DocumentNode;
  /** @throws GraphQLError for the first variable that does not fit */
  readonly readVariables: (
    operation: OperationDefinitionNode,
    given: SubscribeRequest['variables'],
  ) => Record<string, unknown>;
  /** @throws RequestError for what would cost more than this asker may spend */
  readonly check: (
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Variables,
    asking: Asking,
  ) => void;
};

export type Preparation<Asking> = {
  /** @returns what is wrong with it, or what to run; rejects with a GraphQLError or a fault of ours */
  readonly prepare: (
    request: SubscribeRequest,
    asking: Asking,
  ) => Promise<Live<Asking> | readonly GraphQLError[]>;
};

type Options<Asking> = {
  readonly supergraph: Supergraph;
  readonly transports: ReadonlyMap<string, Transport<Asking>>;
  readonly rules: Rules<Asking>;
  /** what is guarded by the supergraph's directives, and how somebody stands */
  readonly guarded?: { readonly authority: Authority; readonly standingOf: (asking: Asking) => Standing };
  readonly formatError?: FormatError<Asking>;
  readonly hidesSuggestions: boolean;
};

/** texts, and bytes of compiled operations, that are kept */
const mostTexts = 2_000;
const mostBytes = 32 * 1024 * 1024;

/** That there is one field at the root can be said only when its conditions are decided. */
const rules = specifiedRules.filter((rule) => rule !== SingleFieldSubscriptionsRule);

/** The planner has a deadline of its own. */
const never = new AbortController().signal;

/** With the code that @apollo/server gives it over HTTP. */
const invalid = ({ message, nodes, source, positions }: GraphQLError): GraphQLError =>
  new GraphQLError(message, { nodes, source, positions, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } });

const badInput = (message: string): RequestError => new RequestError('BAD_USER_INPUT', message);

/** What there is to plan and to run. */
type Settled = Resumable & { readonly text: string };

type Parsed = {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** null where it depends on the variables */
  readonly settled: Settled | null;
};

type Planned<Asking> = { readonly operation: Operation<Asking>; readonly read: MarkReader | null };

export const createPreparation = <Asking>(options: Options<Asking>): Preparation<Asking> => {
  const { supergraph, transports, guarded, formatError, hidesSuggestions } = options;
  const { apiSchema, planner } = supergraph;
  const parsed = new LRUCache<string, Parsed>({
    max: mostTexts,
    maxSize: mostBytes,
    sizeCalculation: (_, text) => 16 * text.length + 1,
  });
  const planned = new LRUCache<string, Planned<Asking>>({
    maxSize: mostBytes,
    sizeCalculation: ({ operation }, text) => operation.weight + 2 * text.length,
  });
  const underWay = new Map<string, Promise<Planned<Asking>>>();

  const settle = (
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Variables,
  ): Settled => {
    const alone = withoutRootConditions(document, operation, variables);
    if (!alone) throw badInput('A subscription has one field at its root, @skip and @include being decided.');
    const resume = resumable(apiSchema, alone);
    const ready = withoutUnusedVariables(resume.document);
    return { ...resume, document: ready, text: print(ready) };
  };

  const parse = (text: string, operationName: string | null): Parsed | readonly GraphQLError[] => {
    const key = `${operationName ?? ''}\n${text}`;
    const known = parsed.get(key);
    if (known) return known;
    const document = options.rules.parse(text);
    const errors = validate(apiSchema, document, rules, { hideSuggestions: hidesSuggestions });
    if (errors.length > 0) return errors.map(invalid);
    const operation = getOperationAST(document, operationName);
    if (operation?.operation !== 'subscription')
      throw badInput('Only subscriptions are streamed; send queries and mutations by POST /graphql.');
    const isFixed = !hasRootConditions(document, operation);
    const found = { document, operation, settled: isFixed ? settle(document, operation, {}) : null };
    parsed.set(key, found);
    return found;
  };

  const compile = async ({ text, document }: Settled): Promise<Planned<Asking>> => {
    const marked = withMarks(apiSchema, document);
    const operation = compileOperation<Asking>({
      supergraph,
      document,
      plan: await planner.plan(print(marked.document), undefined, never),
      transports,
      ...(formatError && { formatError }),
    });
    if (!operation.source) throw new TypeError('a subscription was planned without a source');
    const found = { operation, read: marked.read };
    planned.set(text, found);
    return found;
  };

  const plan = (settled: Settled): Promise<Planned<Asking>> => {
    const known = planned.get(settled.text);
    if (known) return Promise.resolve(known);
    let making = underWay.get(settled.text);
    if (!making) {
      making = compile(settled).finally(() => underWay.delete(settled.text));
      underWay.set(settled.text, making);
    }
    return making;
  };

  const authorize = ({ document }: Parsed, operationName: string | null, asking: Asking) => {
    const guard = guarded?.authority.guard(document, operationName);
    return guard ? guard.authorize(guarded!.standingOf(asking)) : null;
  };

  return {
    prepare: async (request, asking) => {
      const { query, operationName = null } = request;
      const read = parse(query, operationName);
      if (!('operation' in read)) return read;
      const given = options.rules.readVariables(read.operation, request.variables);
      options.rules.check(read.document, read.operation, given, asking);
      const allowed = authorize(read, operationName, asking);
      const settled = allowed
        ? settle(allowed.document, getOperationAST(allowed.document)!, given)
        : (read.settled ?? settle(read.document, read.operation, given));
      const definitions = getOperationAST(settled.document)!.variableDefinitions ?? [];
      const used = Object.fromEntries(
        definitions
          .map(({ variable }) => variable.name.value)
          .filter((name) => Object.hasOwn(given, name))
          .map((name) => [name, given[name]]),
      );
      const complete = allowed?.complete ?? null;
      // What stands for the parts left out may depend on variables that only they have.
      const variables = complete ? given : used;
      const { operation, read: marks } = await plan(settled);
      return {
        request,
        variables,
        operation: complete ? completed(operation, complete, formatError) : operation,
        read: marks,
        // Who asked for more than may be seen gets another answer from the same operation.
        key: `${JSON.stringify(variables)}\n${settled.text}${complete ? `\n${query}` : ''}`,
        isState: settled.isState,
        since: settled.since(given),
      };
    },
  };
};
