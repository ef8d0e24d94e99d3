// Inputs 9 to 12 and 36: values that cannot be meant, and looks at what is not shown.
import {
  badInput,
  body,
  type Expected,
  harmless,
  type Input,
  invalid,
  query,
  refusedAs,
  type Words,
} from './input.ts';

export const values = ({ paged, sought, textType, list, misspelt }: Words): Input[] => {
  const counted = (
    what: string,
    literal: string,
    expected: Expected,
    inText: Expected = expected,
  ): Input[] => [
    {
      number: 9,
      what: `${what} in a variable`,
      pieces: (n) => body(`{"query":"query QSERIAL($n: Int) { ${paged} }","variables":{"n":${literal}}}`, n),
      expected,
    },
    {
      number: 9,
      what: `${what} in the text`,
      pieces: (n) => query(`query Q${n} { ${paged.replace('$n', literal)} }`),
      expected: inText,
    },
  ];
  const sent = (
    number: number,
    what: string,
    text: (serial: number) => string,
    expected: Expected,
  ): Input => ({
    number,
    what,
    pieces: (n) => query(text(n)),
    expected,
  });
  const found = (what: string, text: string): Input => ({
    number: 36,
    what,
    pieces: (n) => query(`query Q${n}($text: ${textType}) { ${sought} }`, { text }),
    expected: harmless,
  });
  const endless = refusedAs(400, 'GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED');
  return [
    ...counted('a million', '1000000', refusedAs([200, 400], 'BAD_USER_INPUT', 'QUERY_TOO_COMPLEX')),
    ...counted('less than none', '-1', harmless),
    ...counted('2^31', '2147483648', badInput, invalid),
    ...counted('more than any number', '1e309', badInput, invalid),
    ...counted('no number', 'NaN', badInput, invalid),
    ...counted('half of one', '0.5', badInput, invalid),
    ...counted('a number of ten thousand digits', '1'.repeat(10_000), badInput, endless),
    sent(
      10,
      'a look at the schema',
      (n) => `query Q${n} { __schema { types { name } } }`,
      refusedAs([400, 403], 'GRAPHQL_VALIDATION_FAILED', 'FORBIDDEN'),
    ),
    sent(
      10,
      'a look at a type out of a fragment with another name',
      (n) => `query Q${n} { ...__schema } fragment __schema on Query { a: __type(name: "Query") { name } }`,
      refusedAs([400, 403], 'GRAPHQL_VALIDATION_FAILED', 'FORBIDDEN'),
    ),
    sent(
      10,
      'a look at the schema beside a query',
      (n) => `query __typename${n} { ${list} { __typename } b: __schema { queryType { name } } }`,
      refusedAs([400, 403], 'GRAPHQL_VALIDATION_FAILED', 'FORBIDDEN'),
    ),
    sent(11, 'a misspelt field', (n) => `query Q${n} { ${misspelt[0]} }`, invalid),
    sent(
      11,
      'a misspelt argument',
      (n) => `query Q${n} { ${paged.replace(/\(\w+:/, '(furst:').replace('$n', '1')} }`,
      invalid,
    ),
    sent(
      12,
      'entities of a subgraph',
      (n) => `query Q${n} { _entities(representations: []) { __typename } }`,
      invalid,
    ),
    sent(12, 'the schema of a subgraph', (n) => `query Q${n} { _service { sdl } }`, invalid),
    found('a piece of SQL', "' OR 1=1 --"),
    found('wildcards', '%_%\\'),
    found('a pattern that takes for ever', `${'(a+)+'.repeat(20)}$ ${'a'.repeat(150)}!`),
    found('what a template would read', '$'.concat('{process.env} {{7*7}}')),
    found('fifty thousand letters', 'a'.repeat(50_000)),
  ];
};
