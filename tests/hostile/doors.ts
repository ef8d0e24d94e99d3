// Inputs 28 and 39: who comes in by a token that anybody could have written, or by way of somebody else's page.
import { asked, badRequest, type Expected, type Input, refusedAs, signInFirst, type Words } from './input.ts';

/** Input 39: what any page could have its visitors send. */
export const pages = ({ list, leaf, guess }: Words): Input[] => {
  const plain = `{ ${list} { ${leaf} } }`;
  const input = (what: string, pieces: Input['pieces'], expected: Expected): Input => ({
    number: 39,
    what,
    pieces,
    expected,
  });
  return [
    input(
      'a form',
      (n) =>
        asked({
          body: `query=${encodeURIComponent(`query Q${n} ${plain}`)}`,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        }),
      badRequest,
    ),
    input(
      'a form with parts',
      () =>
        asked({
          body: '--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{}\r\n--x--',
          headers: { 'content-type': 'multipart/form-data; boundary=x' },
        }),
      badRequest,
    ),
    input(
      'plain text',
      (n) =>
        asked({
          body: JSON.stringify({ query: `query Q${n} ${plain}` }),
          headers: { 'content-type': 'text/plain' },
        }),
      badRequest,
    ),
    input(
      'a mutation by GET',
      (n) => asked({ method: 'GET', search: `?query=${encodeURIComponent(`mutation M${n} { ${guess} }`)}` }),
      refusedAs(405, 'BAD_USER_INPUT'),
    ),
    input('another method', () => asked({ method: 'DELETE' }), refusedAs(405, 'BAD_USER_INPUT')),
  ];
};

/** Input 28: tokens that anybody could have written. */
export const tokens = ({ list, leaf }: Words): Input[] => {
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = (n: number) => encoded({ sub: `${n}`, iss: 'bookshop', aud: 'readers', exp: 4_000_000_000 });
  const signature = 's'.repeat(86);
  const input = (what: string, token: (serial: number) => string): Input => ({
    number: 28,
    what,
    pieces: (n) =>
      asked({
        body: JSON.stringify({ query: `{ ${list} { ${leaf} } }` }),
        headers: { authorization: `Bearer ${token(n)}` },
      }),
    expected: signInFirst,
  });
  return [
    input('a token without a signature', (n) => `${encoded({ alg: 'none', kid: 'one' })}.${claims(n)}.`),
    input(
      'a token by an unknown key',
      (n) => `${encoded({ alg: 'ES256', kid: `made up ${n}` })}.${claims(n)}.${signature}`,
    ),
    input(
      'a token whose key is a path',
      (n) => `${encoded({ alg: 'ES256', kid: '../../etc/passwd' })}.${claims(n)}.${signature}`,
    ),
    input(
      'a token with a signature that is none',
      (n) => `${encoded({ alg: 'ES256', kid: 'one' })}.${claims(n)}.${signature}`,
    ),
    input(
      'a token of ten thousand letters',
      (n) => `${encoded({ alg: 'ES256', kid: 'one' })}.${claims(n)}.${'a'.repeat(10_000)}`,
    ),
    input('a token that is no token', (n) => `let me in ${n}`),
  ];
};
