import fc from 'fast-check';
import { executeSync, type FieldNode, getOperationAST, validate } from 'graphql';
import { expect, test } from 'vitest';
import { createAuthority } from './authority.ts';
import { answering, asks, nobody, rules, schema, somebody } from './fixture-guarded-shop.ts';
import { needsWithin, reachable, strip } from './stripping.ts';

const filtering = createAuthority(schema, rules, 'filter');

// Any selection of the shop's, with fragments on types that may or may not be there.
const selection = (type: string, depth: number): fc.Arbitrary<string> => {
  const fields: Record<string, [string, string | null][]> = {
    Query: [
      ['order', 'Order'],
      ['orders', 'Order'],
      ['orderMatrix', 'Order'],
      ['nodes', 'Node'],
      ['hits', 'Hit'],
      ['named', 'Named'],
      ['report', 'Report'],
      ['level', null],
      ['open', null],
    ],
    Order: [
      ['id', null],
      ['note', null],
      ['total', null],
      ['lines', 'Line'],
      ['customer', 'Customer'],
      ['risk', null],
      ['weight', null],
    ],
    Line: [
      ['sku', null],
      ['margin', null],
      ['order', 'Order'],
    ],
    Customer: [
      ['id', null],
      ['name', null],
      ['title', null],
      ['email', null],
    ],
    Shop: [
      ['id', null],
      ['name', null],
      ['title', null],
      ['secret', null],
    ],
    Report: [['lines', null]],
    Node: [['id', null]],
    Named: [
      ['name', null],
      ['title', null],
    ],
    Hit: [['__typename', null]],
  };
  const narrower: Record<string, string[]> = {
    Node: ['Order', 'Customer', 'Shop', 'Named'],
    Named: ['Customer', 'Shop', 'Node'],
    Hit: ['Order', 'Customer', 'Shop', 'Node', 'Named'],
    Order: ['Order', 'Node'],
    Customer: ['Node', 'Named'],
    Shop: ['Named'],
  };
  const one = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(...fields[type]!).chain(([name, of]): fc.Arbitrary<string> => {
        if (of === null) return fc.constant(name);
        return depth === 0
          ? fc.constant('__typename')
          : selection(of, depth - 1).map((inner) => `${name} ${inner}`);
      }),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(...(narrower[type] ?? [type]))
        .chain((on) =>
          depth === 0
            ? fc.constant('__typename')
            : selection(on, depth - 1).map((inner) => `... on ${on} ${inner}`),
        ),
    },
  );
  return fc.array(one, { minLength: 1, maxLength: 4 }).map((all) => `{${all.join(' ')}}`);
};

const standing = fc
  .tuple(
    fc.boolean(),
    fc.subarray(['orders:read', 'staff', 'admin', 'reports:read', 'risk:read']),
    fc.subarray(['finance', 'owner', 'support', 'on-duty']),
  )
  .map(([isSignedIn, scopes, policies]) => (isSignedIn ? somebody(scopes, policies) : nobody));

test('any selection by anybody: nothing refused is planned, and the answer is as if each refused field had failed', () => {
  let refusals = 0;
  fc.assert(
    fc.property(selection('Query', 4), standing, (text, who) => {
      // Answers grow with the power of the depth; the short ones say as much.
      if (text.length > 250) return;
      const document = asks(text);
      if (validate(schema, document).length > 0) return;
      const guard = filtering.guard(document, null);
      if (!guard) return;
      const { document: allowed, complete, refused: paths } = guard.authorize(who);
      expect(validate(schema, allowed)).toEqual([]);

      const parts = reachable(document, getOperationAST(document)!);
      const unmet = new Set(
        rules.requirements.flatMap((one, place) =>
          one.kind === 'signedIn'
            ? who.isSignedIn
              ? []
              : [place]
            : one.anyOf.some((group) => group.every((each) => who[one.kind].has(each)))
              ? []
              : [place],
        ),
      );
      const left = reachable(allowed, getOperationAST(allowed)!);
      expect(needsWithin(schema, rules, left).filter((need) => unmet.has(need))).toEqual([]);

      const { refused } = strip(schema, rules, parts, unmet);
      const run = (of: typeof document, isRefused?: (nodes: readonly FieldNode[]) => boolean) => {
        const { data, errors = [] } = executeSync({
          schema,
          document: of,
          fieldResolver: answering(isRefused),
        });
        return { data, errors: errors.map(({ message, path }) => ({ message, path: [...(path ?? [])] })) };
      };
      const wanted = run(document, (nodes) => nodes.every((node) => refused.has(node)));
      const got = complete ? complete(run(allowed), {}) : run(allowed);
      expect(JSON.stringify(got.data)).toBe(JSON.stringify(wanted.data));
      refusals += paths.length;
      // Past a hundred, errors are told without their places.
      if ((got.errors ?? []).length > 100) return;
      const told = (errors: readonly { path?: readonly unknown[] }[]) =>
        errors.map(({ path }) => path!.join('.')).sort();
      // The executor stops at the first null that bubbles; we go on to the neighbours.
      expect(told(got.errors ?? [])).toEqual(expect.arrayContaining(told(wanted.errors)));
    }),
    { numRuns: 1_000 },
  );
  expect(refusals).toBeGreaterThan(200);
});
