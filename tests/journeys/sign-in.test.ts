// Who is let in, for how long, and who is not.
import { createHmac } from 'node:crypto';
import { generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose';
import { beforeAll, expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { accepted } from '../../ops/operations/client.ts';
import {
  LoginDocument,
  LogoutDocument,
  MeDocument,
  RefreshSessionDocument,
  RegisterDocument,
} from '../../ops/operations/generated/graphql.ts';
import { bookOf, uuidOf } from './books.ts';
import { graphqlUrl, newPerson, type Person, socketUrl, visitor } from './customer.ts';

const { secrets, subgraphsUrl } = inject('product');
let person: Person;
let header: { alg: 'ES256'; kid: string };
let claims: JWTPayload;

const partOf = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split('.')[index]!, 'base64url').toString());

beforeAll(async () => {
  person = await newPerson();
  header = partOf(person.token, 0);
  claims = partOf(person.token, 1);
});

const now = (): number => Math.floor(Date.now() / 1000);

/** Signed with the shop's own key. */
const genuine = async (change: JWTPayload): Promise<string> => {
  const { kid: _kid, ...jwk } = JSON.parse(secrets.accessTokenKey);
  const key = await importJWK(jwk, 'ES256');
  return new SignJWT({ ...claims, ...change }).setProtectedHeader(header).sign(key);
};

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const forgeries: [string, () => Promise<string>][] = [
  ['an expired one', () => genuine({ iat: now() - 700, exp: now() - 60 })],
  ['one without an end', () => genuine({ exp: undefined })],
  ['one of another issuer', () => genuine({ iss: 'somebody' })],
  ['one for another audience', () => genuine({ aud: 'partners' })],
  ['one that is good only tomorrow', () => genuine({ nbf: now() + 86_400 })],
  ['one whose person is no id', () => genuine({ sub: "' or 1=1 --" })],
  [
    'one that is signed with another key under the same name',
    async () => {
      const { privateKey } = await generateKeyPair('ES256');
      return new SignJWT(claims).setProtectedHeader(header).sign(privateKey);
    },
  ],
  [
    'one that is signed with a key of an unknown name',
    async () => {
      const { privateKey } = await generateKeyPair('ES256');
      return new SignJWT(claims).setProtectedHeader({ ...header, kid: '../../etc/passwd' }).sign(privateKey);
    },
  ],
  ['one without a signature', async () => `${encoded({ alg: 'none', kid: header.kid })}.${encoded(claims)}.`],
  [
    'one whose secret is the public key',
    async () => {
      const { keys } = (await (await fetch(`${subgraphsUrl}/users/jwks`)).json()) as { keys: object[] };
      const body = `${encoded({ alg: 'HS256', kid: header.kid })}.${encoded(claims)}`;
      return `${body}.${createHmac('sha256', JSON.stringify(keys[0])).update(body).digest('base64url')}`;
    },
  ],
  [
    'one whose claims were changed after it was signed',
    async () => {
      const [head, , signature] = person.token.split('.');
      return `${head}.${encoded({ ...claims, scopes: ['orders:read'] })}.${signature}`;
    },
  ],
  ['a piece of text', async () => 'let-me-in'],
  ['nothing after Bearer', async () => ''],
];

test('the shop’s own token, signed here, is let in: what follows is refused for what is wrong with it', async () => {
  const token = await genuine({});
  expect((await visitor(token).send(MeDocument)).me?.id).toBe(person.id);
});

test.each(forgeries)('an access token is refused on every request: %s', async (_what, forge) => {
  const response = await fetch(graphqlUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await forge()}` },
    // Even where nobody needs to be signed in: a token that does not count is told, not passed over.
    body: '{"query":"{ categories { id } }"}',
  });
  const answer = (await response.json()) as { data?: unknown; errors: { extensions: object }[] };
  expect(response.status).toBe(401);
  expect(answer.data).toBeUndefined();
  expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED', retryable: false } }]);
});

test.each(forgeries)('an access token is refused on a socket: %s', async (_what, forge) => {
  const authorization = `Bearer ${await forge()}`;
  const socket = new WebSocket(socketUrl, 'graphql-transport-ws');
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  const heard: string[] = [];
  socket.on('message', (data) => heard.push(String(data)));
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
  expect([await closed, heard]).toEqual([4403, []]);
});

test('a socket ends with the token that opened it', async () => {
  const token = await genuine({ exp: now() + 2 });
  const socket = new WebSocket(socketUrl, 'graphql-transport-ws');
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('open', resolve));
  const acknowledged = new Promise((resolve) => socket.once('message', (data) => resolve(String(data))));
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
  expect(await acknowledged).toContain('connection_ack');
  expect(await closed).toBe(4403);
});

test('without a token one is nobody in particular', async () => {
  expect(await visitor().send(MeDocument)).toEqual({ me: null });
});

const renew = async (refreshToken: string) =>
  (await visitor().send(RefreshSessionDocument, { input: { refreshToken } })).refreshSession;

test('a session goes on by refresh tokens that each work once', async () => {
  const { refreshToken, id } = await newPerson();
  const second = accepted(await renew(refreshToken), 'SessionStarted');
  expect(second.user.id).toBe(id);
  expect((await visitor(second.accessToken).send(MeDocument)).me?.id).toBe(id);
  // Sent twice by a client in a hurry: refused, and nobody is signed out by it.
  expect((await renew(refreshToken)).__typename).toBe('SessionExpired');
  accepted(await renew(second.refreshToken), 'SessionStarted');
});

test('a refresh token that comes back later ends the session of the one who has the newest', async () => {
  const { refreshToken, id } = await newPerson();
  const uuid = uuidOf('user', id);
  const second = accepted(await renew(refreshToken), 'SessionStarted');
  // The moment in which a repeated request is taken for one has passed.
  await bookOf('users')`
    update refresh_token set used_at = used_at - interval '11 seconds'
    where session_id in (select id from session where user_id = ${uuid})`;
  expect((await renew(refreshToken)).__typename).toBe('SessionExpired');
  expect((await renew(second.refreshToken)).__typename).toBe('SessionExpired');
  const sessions = await bookOf('users')`select ended_because from session where user_id = ${uuid}`;
  expect(sessions).toEqual([{ ended_because: 'REUSE' }]);
});

test.each([
  ['empty', ''],
  ['short', 'x'],
  ['60 KB long', 'A'.repeat(60_000)],
  ['a smile', '🙂'],
])('a made-up refresh token that is %s starts nothing', async (_what, token) => {
  expect(await renew(token)).toMatchObject({ __typename: 'SessionExpired', code: 'SESSION_EXPIRED' });
});

test('who signs out cannot go on, and on the other devices only where that was wished', async () => {
  const { email, password, refreshToken: first } = await newPerson();
  const signIn = async () => {
    const { login } = await visitor().send(LoginDocument, { input: { email, password } });
    return accepted(login, 'SessionStarted').refreshToken;
  };
  const second = await signIn();
  const signOut = async (refreshToken: string, everywhere = false) =>
    (await visitor().send(LogoutDocument, { input: { refreshToken, everywhere } })).logout.__typename;

  expect(await signOut(first)).toBe('SessionEnded');
  expect((await renew(first)).__typename).toBe('SessionExpired');
  expect(await signOut(first)).toBe('SessionExpired');
  const third = accepted(await renew(second), 'SessionStarted').refreshToken;
  const fourth = await signIn();
  expect(await signOut(fourth, true)).toBe('SessionEnded');
  expect((await renew(third)).__typename).toBe('SessionExpired');
});

test('a wrong password and an unknown address are answered alike, and the sixth attempt has to wait', async () => {
  const { email } = await newPerson();
  const attempt = async (address: string) =>
    (await visitor().send(LoginDocument, { input: { email: address, password: 'not the password' } })).login;
  const wrong = await attempt(email);
  expect(wrong).toMatchObject({ __typename: 'InvalidCredentials', code: 'INVALID_CREDENTIALS' });
  expect(await attempt(`nobody-${email}`)).toEqual(wrong);
  for (let more = 0; more < 4; more++) expect(await attempt(email)).toEqual(wrong);
  const sixth = await attempt(email);
  const { retryAfterMs } = accepted(sixth, 'RateLimited');
  expect(retryAfterMs).toBeGreaterThan(0);
  expect(retryAfterMs).toBeLessThanOrEqual(15 * 60_000);
  // Others sign in meanwhile.
  await bookOf('users')`delete from attempt where failed_at is not null`;
});

test('an account is opened once, however its address is written, and what is wrong with it is named', async () => {
  const register = async (input: { email: string; password: string; displayName: string }) =>
    (await visitor().send(RegisterDocument, { input })).register;
  const again = { password: 'long enough', displayName: 'Twin' };
  expect(await register({ ...again, email: ` ${person.email.toUpperCase()} ` })).toMatchObject({
    __typename: 'EmailTaken',
    path: ['input', 'email'],
  });
  const outcome = await register({ email: 'no address', password: 'p'.repeat(50_000), displayName: '\n' });
  const { problems } = accepted(outcome, 'InvalidInput');
  expect(problems.map(({ path }) => path.join('.'))).toEqual([
    'input.email',
    'input.password',
    'input.displayName',
  ]);
});
