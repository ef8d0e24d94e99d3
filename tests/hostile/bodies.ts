// Inputs 5 to 8: bodies that are no requests, or too much of one.
import { gzipSync } from 'node:zlib';
import {
  asked,
  badInput,
  badRequest,
  body,
  type Expected,
  type Input,
  invalid,
  query,
  refusedAs,
  tooLarge,
  type Words,
} from './input.ts';
import { chunked } from './raw-http.ts';

const nestedValue = (levels: number, open: string, close: string): string =>
  `${open.repeat(levels)}1${close.repeat(levels)}`;

const bomb = (megabytes: number): Uint8Array => gzipSync(Buffer.alloc(megabytes * 1_000_000));
const [smallBomb, largeBomb] = [bomb(1), bomb(160)];
const zipped = { 'content-encoding': 'gzip' };

export const bodies = ({ list, leaf, paged, sought, textType }: Words): Input[] => {
  const plain = `{ ${list} { ${leaf} } }`;
  const input = (number: number, what: string, pieces: Input['pieces'], expected: Expected): Input => ({
    number,
    what,
    pieces,
    expected,
  });
  const textual = (value: string) => (n: number) =>
    asked({
      body: `{"query":"query Q${n}($text: ${textType}) { ${sought} }","variables":{"text":${value}}}`,
    });
  const variables = (text: string) => (n: number) =>
    body(`{"query":"query QSERIAL($n: Int) { ${paged} }","variables":${text}}`, n);
  return [
    input(
      5,
      'a list of five hundred requests',
      () => asked({ body: JSON.stringify(Array(500).fill({ query: plain })) }),
      badRequest,
    ),
    input(5, 'no JSON', (n) => body(`{ me SERIAL`, n), badInput),
    input(5, 'nothing', () => asked({ body: '' }), badInput),
    input(5, 'a list where the query belongs', (n) => body('{"query":["SERIAL"]}', n), badRequest),
    input(
      6,
      'a body of 2 MB',
      (n) => body(`{"query":"${plain}","pad":"SERIAL${'x'.repeat(2_000_000)}"}`, n),
      tooLarge,
    ),
    input(
      6,
      'a body that says that it has 100 MB',
      () => [
        'POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\ncontent-length: 100000000\r\n\r\n',
        'x'.repeat(200_000),
      ],
      tooLarge,
    ),
    input(6, 'a body of 100 MB whose length is not told', () => chunked(100), tooLarge),
    input(
      6,
      'zeros that unpack to a thousand times their size',
      () => asked({ body: smallBomb, headers: zipped }),
      badRequest,
    ),
    input(6, 'zeros that unpack to 160 MB', () => asked({ body: largeBomb, headers: zipped }), tooLarge),
    input(
      7,
      'variables ten thousand levels deep',
      variables(`{"n":${nestedValue(10_000, '{"a":', '}')}}`),
      badInput,
    ),
    input(
      7,
      'a list in lists, fifty thousand levels deep',
      variables(`{"n":${nestedValue(49_000, '[', ']')}}`),
      badInput,
    ),
    input(7, 'variables a hundred thousand wide', variables(`{"n":[${'1,'.repeat(48_000)}1]}`), badInput),
    input(
      7,
      'extensions ten thousand levels deep',
      (n) => body(`{"query":"query QSERIAL ${plain}","extensions":${nestedValue(5_000, '{"a":', '}')}}`, n),
      { status: [200, 400], codes: ['BAD_USER_INPUT', 'BAD_REQUEST'] },
    ),
    input(
      7,
      'names of JavaScript’s own inside',
      variables('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"n":2}'),
      { status: [200], codes: [] },
    ),
    input(
      7,
      'a name of JavaScript’s own inside as a field',
      (n) => query(`query Q${n} { __proto__ { constructor } }`),
      invalid,
    ),
    input(
      8,
      'bytes that are no text',
      (n) =>
        asked({
          body: Buffer.concat([
            Buffer.from(`{"query":"${plain} #${n}`),
            Buffer.from([0xff, 0xfe, 0xc0, 0xaf]),
            Buffer.from('"}'),
          ]),
        }),
      badInput,
    ),
    input(8, 'half a letter', textual('"white \\ud800 heart"'), badInput),
    input(8, 'the second half of a letter', textual('"\\udc00"'), badInput),
    input(8, 'NUL', textual('"white\\u0000heart"'), badInput),
    input(
      8,
      'NUL in the query itself',
      (n) => asked({ body: `{"query":"query Q${n} \\u0000 ${plain}"}` }),
      refusedAs(400, 'GRAPHQL_PARSE_FAILED'),
    ),
    input(
      8,
      'half a letter in a text of the query',
      (n) => asked({ body: `{"query":"query Q${n} { ${sought.replace('$text', '\\"\\ud800\\"')} }"}` }),
      { status: [200, 400], codes: ['BAD_USER_INPUT', 'GRAPHQL_PARSE_FAILED'] },
    ),
  ];
};
