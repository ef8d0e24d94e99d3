// What is no HTTP, or HTTP that two readers would read differently.

export type Line = {
  readonly what: string;
  readonly pieces: readonly string[];
  /** where the line is not cut without a word */
  readonly status: number;
};

const head = 'POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n';
const request = '{"query":"{ __typename }"}';

export const lines: readonly Line[] = [
  {
    what: 'what is no HTTP',
    pieces: ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n'],
    status: 400,
  },
  {
    what: 'two lengths',
    pieces: [`${head}content-length: 5\r\ncontent-length: ${request.length}\r\n\r\n`, request],
    status: 400,
  },
  {
    what: 'a length and pieces as well',
    pieces: [`${head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n`, `0\r\n\r\n${head}\r\n`],
    status: 400,
  },
  { what: 'a length below nothing', pieces: [`${head}content-length: -1\r\n\r\n`], status: 400 },
  { what: 'a length that is no number', pieces: [`${head}content-length: 1e3\r\n\r\n`], status: 400 },
  {
    what: 'a piece whose length is no number',
    pieces: [`${head}transfer-encoding: chunked\r\n\r\n`, 'xyz\r\n'],
    status: 400,
  },
  {
    what: 'headers by the hundred kilobytes',
    pieces: [`${head}x-a: ${'a'.repeat(100_000)}\r\n\r\n`],
    status: 431,
  },
  { what: 'headers by the thousand', pieces: [`${head}${'x-a: 1\r\n'.repeat(4_000)}\r\n`], status: 431 },
  { what: 'a header whose name is none', pieces: [`${head} bad\0: 1\r\n\r\n`], status: 400 },
  {
    what: 'an address of ninety kilobytes',
    pieces: [`GET /graphql?query=${'a'.repeat(90_000)} HTTP/1.1\r\nhost: g\r\n\r\n`],
    status: 431,
  },
];

/** Requests that begin and never end. */
export const unfinished: readonly (readonly string[])[] = [
  [head],
  [`${head}content-length: 100\r\n\r\n{"query":`],
];
