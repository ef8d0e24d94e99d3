// The gateway takes out of an operation what somebody may not see, and the subgraph refuses it: two ways to one verdict,
// for every field of the shop and whoever asks.
import { RequestError } from '@orderstream/runtime/errors';
import { guardsOf } from '@orderstream/runtime/host/guards';
import { subgraphSchema } from '@orderstream/runtime/host/schema';
import { standingOf } from '@orderstream/runtime/standing';
import { anonymous, type Viewer } from '@orderstream/runtime/viewer';
import {
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getNamedType,
  isCompositeType,
  isObjectType,
  parse,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { compose, subgraphDocuments } from '../composition.ts';
import { openSupergraph } from '../plan/supergraph.ts';
import { createAuthority } from './authority.ts';
import { readAuthRules } from './rules.ts';

type Verdict = 'shown' | 'UNAUTHENTICATED' | 'FORBIDDEN';

const documents = subgraphDocuments();
const { supergraph } = compose(documents);
const { apiSchema, planner } = openSupergraph(supergraph, { planner: 'apollo' });
planner.close();
const rules = readAuthRules(parse(supergraph), apiSchema);
const authority = createAuthority(apiSchema, rules, 'filter');

const subgraphs = documents.map(({ name, text }) => ({
  name,
  schema: subgraphSchema(text),
  document: parse(text),
}));

const nobody = anonymous('t');
const scopes = [
  ...new Set(rules.requirements.flatMap((one) => (one.kind === 'signedIn' ? [] : one.anyOf.flat()))),
];
const person = (...has: string[]): Viewer => ({ ...nobody, userId: 'u', scopes: new Set(has) });
const service = (...has: string[]): Viewer => ({ ...nobody, service: 's', scopes: new Set(has) });
const viewers: [string, Viewer][] = [
  ['nobody', nobody],
  ['a customer', person()],
  ...scopes.map((scope): [string, Viewer] => [`staff with ${scope}`, person(scope)]),
  ['staff with everything', person(...scopes)],
  ['a service', service()],
  ...scopes.map((scope): [string, Viewer] => [`a service with ${scope}`, service(scope)]),
];

/** What the gateway would do about one field, wherever in an operation it is asked for. */
const byGateway = (type: string, field: string, viewer: Viewer): Verdict => {
  const parent = apiSchema.getType(type) as GraphQLObjectType;
  const below = isCompositeType(getNamedType(parent.getFields()[field]!.type)) ? '{ __typename }' : '';
  const kind = /^(Mutation|Subscription)$/.test(type) ? type.toLowerCase() : 'query';
  const text = `${kind} { ...F } fragment F on ${type} { ${field} ${below} }`;
  try {
    const [refused] = authority.guard(parse(text), null)?.authorize(standingOf(viewer)).refused ?? [];
    return refused?.code ?? 'shown';
  } catch (error) {
    if (error instanceof RequestError) return error.code as Verdict;
    throw error;
  }
};

/** What the subgraph does when the field is to be resolved, or its stream opened. */
const bySubgraph = (
  schema: (typeof subgraphs)[number]['schema'],
  type: string,
  field: string,
  viewer: Viewer,
): Verdict => {
  const { resolve, subscribe } = (schema.getType(type) as GraphQLObjectType).getFields()[field]!;
  const verdicts = [resolve, subscribe].map((look): Verdict => {
    try {
      look?.({ [field]: 1 }, {}, { viewer }, { fieldName: field } as GraphQLResolveInfo);
      return 'shown';
    } catch (error) {
      // There is nothing to resolve here: whatever goes wrong behind the guard was let through by it.
      return error instanceof RequestError ? (error.code as Verdict) : 'shown';
    }
  });
  return verdicts.find((verdict) => verdict !== 'shown') ?? 'shown';
};

const fieldsOf = ({ schema }: (typeof subgraphs)[number]): [string, string][] =>
  Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) && !type.name.startsWith('_'))
    .flatMap((type) =>
      Object.keys((type as GraphQLObjectType).getFields())
        .filter((field) => !field.startsWith('_'))
        .map((field): [string, string] => [type.name, field]),
    );

describe.each(subgraphs)('$name', (subgraph) => {
  test.each(viewers)('shows and refuses %s what the gateway does', (_who, viewer) => {
    const fields = fieldsOf(subgraph);
    const verdicts = (of: (type: string, field: string) => Verdict) =>
      fields.map(([type, field]) => `${type}.${field}: ${of(type, field)}`);
    expect(fields.length).toBeGreaterThan(10);
    expect(verdicts((type, field) => bySubgraph(subgraph.schema, type, field, viewer))).toEqual(
      verdicts((type, field) => byGateway(type, field, viewer)),
    );
  });
});

test('there are rules to agree on, and each lets somebody in and keeps somebody out', () => {
  const guarded = subgraphs.flatMap(({ schema, document }) => [...guardsOf(schema, document).keys()]);
  expect(guarded.length).toBeGreaterThan(20);
  for (const place of guarded) {
    const [type = '', field = ''] = place.split('.');
    const verdicts = viewers.map(([, viewer]) => byGateway(type, field, viewer));
    expect([place, new Set(verdicts).size > 1, verdicts.includes('shown'), verdicts[0]]).toEqual([
      place,
      true,
      true,
      'UNAUTHENTICATED',
    ]);
  }
});
