// A subgraph whose answers are framed in every wrong way, on connections that many calls share. Each call carries a
// token; whatever happens, an answer with another call's token must never be taken for its own.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type HttpTransport, openHttpTransport } from './http.ts';
import type { Sharing } from './trust.ts';

/** A generator with a seed, so that a case that fails can be run again. */
const dice = (seed: number) => {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { below: (most: number) => Math.floor(next() * most), hits: (share: number) => next() < share };
};
type Dice = ReturnType<typeof dice>;

type Asked = { readonly id: string; readonly token: string };

const bodyOf = (token: string): string => JSON.stringify({ data: { token } });

const headOf = ({ id }: Asked, length: number | string, more = '', status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nx-call-id: ${id}\r\n${
    length === '' ? '' : `content-length: ${length}\r\n`
  }${more}\r\n`;

const whole = (asked: Asked, more = ''): string => {
  const body = bodyOf(asked.token);
  return headOf(asked, body.length, more) + body;
};

const chunked = (asked: Asked, more = ''): string => {
  const body = bodyOf(asked.token);
  const half = body.length >> 1;
  const parts = [body.slice(0, half), body.slice(half)];
  const text = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
  return `${headOf(asked, '', `transfer-encoding: chunked\r\n${more}`)}${text}0\r\n\r\n`;
};

const stranger: Asked = { id: 'zzz', token: 'nobody' };

type Wrong = (asked: Asked, before: Asked) => string | { readonly text: string; readonly ends: true };

/** What any client of HTTP/1.1 can notice. */
const noticeable: Record<string, Wrong> = {
  'early hints': (asked) => `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${whole(asked)}`,
  continue: (asked) => `HTTP/1.1 100 Continue\r\n\r\n${whole(asked)}`,
  switching: (asked) =>
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n${whole(asked)}`,
  'two lengths': (asked) =>
    headOf(asked, 3, `content-length: ${bodyOf(asked.token).length}\r\n`) + bodyOf(asked.token),
  'the same length twice': (asked) => whole(asked, `content-length: ${bodyOf(asked.token).length}\r\n`),
  'a list of lengths': (asked) => headOf(asked, '3, 30') + bodyOf(asked.token),
  'a negative length': (asked) => headOf(asked, -1) + bodyOf(asked.token),
  'chunked and a length': (asked) => chunked(asked, `content-length: 5\r\n`),
  'a wrong chunk size': (asked) => chunked(asked).replace('\r\n\r\n', '\r\n\r\nxyz\r\n'),
  'chunks with remarks': (asked) => chunked(asked).replace(/^([0-9a-f]+)\r$/gm, '$1;remark=1\r'),
  'something after the chunks': (asked) => chunked(asked).replace(/0\r\n\r\n$/, '0\r\nx-after: 1\r\n\r\n'),
  'a chunk that is too long': (asked) => chunked(asked).replace(/\r\n0\r\n\r\n$/, 'x\r\n0\r\n\r\n'),
  'a chunk of a huge size': (asked) =>
    chunked(asked).replace(/\r\n\r\n[0-9a-f]+\r\n/, '\r\n\r\nffffffffff\r\n'),
  'lines that end in half a line break': (asked) => whole(asked).replaceAll('\r\n', '\n'),
  'a name with a blank behind it': (asked) => whole(asked).replace('content-length:', 'content-length :'),
  'a length in another base': (asked) =>
    headOf(asked, `0x${bodyOf(asked.token).length.toString(16)}`) + bodyOf(asked.token),
  'a length with a sign': (asked) => headOf(asked, `+${bodyOf(asked.token).length}`) + bodyOf(asked.token),
  'a coding twice': (asked) => chunked(asked, 'transfer-encoding: chunked\r\n'),
  'an unknown coding': (asked) => whole(asked, 'transfer-encoding: gzip\r\n'),
  'no content, and some': (asked) =>
    headOf(asked, bodyOf(asked.token).length, '', '204 No Content') + bodyOf(asked.token),
  'no content': (asked) => headOf(asked, '', '', '204 No Content'),
  'not modified': (asked) => headOf(asked, 30, '', '304 Not Modified'),
  'bytes after the answer': (asked) => `${whole(asked)}garbage\r\n\r\n`,
  garbage: () => '\u0000\u0001\u0002 what is this\r\n\r\n',
  'another protocol': () => 'SSH-2.0-OpenSSH_9.9\r\n',
  'no length': (asked) => ({ text: headOf(asked, '') + bodyOf(asked.token), ends: true }),
  'old HTTP': (asked) => ({ text: whole(asked).replace('HTTP/1.1', 'HTTP/1.0'), ends: true }),
  truncated: (asked) => ({ text: whole(asked).slice(0, -5), ends: true }),
  'truncated headers': (asked) => ({ text: whole(asked).slice(0, 30), ends: true }),
  'truncated chunks': (asked) => ({ text: chunked(asked).slice(0, -9), ends: true }),
  'the end, said': (asked) => ({ text: whole(asked, 'connection: close\r\n'), ends: true }),
  'the end, unsaid': (asked) => ({ text: whole(asked), ends: true }),
  nothing: () => ({ text: '', ends: true }),
  'endless headers': (asked) => whole(asked, `x-long: ${'a'.repeat(20_000)}\r\n`),
  'a header without a name': (asked) => whole(asked, ': nameless\r\n'),
  'a line folded': (asked) => whole(asked, 'x-folded: a\r\n b\r\n'),
};

/** What only the call's name in the answer gives away. */
const disguised: Record<string, Wrong> = {
  'an answer twice': (asked) => whole(asked) + whole(asked),
  'the last answer again': (asked, before) => whole(before) + whole(asked),
  'the last answer instead': (_, before) => whole(before),
  'an answer to nobody first': (asked) => whole(stranger) + whole(asked),
  'an answer in the answer': (asked) =>
    headOf(asked, bodyOf(asked.token).length) + bodyOf(asked.token) + whole(stranger) + whole(stranger),
  'no name': (asked) => whole(asked).replace(/x-call-id: .*\r\n/, ''),
  'a wrong name': (asked) => whole(asked).replace(/x-call-id: .*/, 'x-call-id: 0'),
  'two names': (asked) => whole(asked, `x-call-id: ${asked.id}\r\n`),
};

/** Reads pipelined requests and answers in order, in pieces of any size. */
const serve = (socket: Socket, random: Dice, wrongs: readonly Wrong[], share: () => number): void => {
  let heard = '';
  let before = stranger;
  const pending: string[] = [];
  let isWriting = false;
  const flush = (): void => {
    const text = pending.shift();
    if (text === undefined) {
      isWriting = false;
      return;
    }
    isWriting = true;
    if (text === '') socket.destroy();
    else
      socket.write(text, 'latin1', () => (random.hits(0.1) ? setTimeout(flush, random.below(4)) : flush()));
  };
  const answer = (text: string): void => {
    if (text === '') return;
    const cut = random.hits(0.3) ? random.below(text.length) : 0;
    if (cut > 0) pending.push(text.slice(0, cut));
    pending.push(text.slice(cut));
  };
  socket.on('error', () => {});
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    heard += chunk;
    for (;;) {
      const end = heard.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/.exec(heard)?.[1] ?? Number.NaN);
      if (end < 0 || heard.length < end + 4 + length) break;
      const id = /x-call-id: (\S+)/.exec(heard.slice(0, end))?.[1] ?? 'none';
      const token = /"token":"(\w+)"/.exec(heard.slice(end, end + 4 + length))![1]!;
      heard = heard.slice(end + 4 + length);
      const asked = { id, token };
      const made = random.hits(share())
        ? wrongs[random.below(wrongs.length)]!(asked, before)
        : random.hits(0.2)
          ? chunked(asked)
          : whole(asked);
      before = asked;
      answer(typeof made === 'string' ? made : made.text);
      if (typeof made !== 'string') pending.push('');
    }
    if (!isWriting) flush();
  });
};

type Outcome = 'own' | 'failed' | 'unreadable';

const ask = (transport: HttpTransport<null>, token: string, told: Map<string, number>): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const count = (): void => {
      told.set(token, (told.get(token) ?? 0) + 1);
    };
    transport.send(JSON.stringify({ query: 'query { token }', variables: { token } }), true, null, {
      answered: (body) => {
        count();
        let answer: { data: { token: string } };
        try {
          answer = JSON.parse(body);
        } catch {
          resolve('unreadable');
          return;
        }
        if (answer.data.token === token) resolve('own');
        else reject(new Error(`${token} was given the answer of ${answer.data.token}`));
      },
      failed: () => {
        count();
        resolve('failed');
      },
    });
  });

type Tally = {
  readonly told: Map<string, number>;
  readonly outcomes: Record<Outcome, number>;
  behind: number;
};

const play = async (
  seed: number,
  sharing: Sharing,
  wrongs: readonly Wrong[],
  tally: Tally,
): Promise<void> => {
  const random = dice(seed);
  let share = 0;
  const server: Server = createServer({ noDelay: true }, (socket) =>
    serve(socket, random, wrongs, () => share),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const transport = openHttpTransport<null>({
    name: 'odd',
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    path: '/graphql',
    headersOf: () => [],
    timeoutMs: 1_000,
    largestAnswer: 10_000,
    sharing,
    brisk: 20,
    connections: 2,
  });
  const burst = (name: string, calls: number) =>
    Promise.all(
      Array.from({ length: calls }, (_, at) => ask(transport, `${name}s${seed}x${at}`, tally.told)),
    );
  // Shows that it names calls, and that it is quick.
  for (let at = 0; at < 3; at += 1) await burst(`w${at}`, 4);
  share = 0.12;
  for (let at = 0; at < 3; at += 1)
    for (const outcome of await burst(`b${at}`, 12)) tally.outcomes[outcome] += 1;
  tally.behind += transport.counts.behind;
  await transport.close();
  server.close();
};

const rounds = async (sharing: Sharing, wrongs: readonly Wrong[], most: number): Promise<Tally> => {
  const tally: Tally = { told: new Map(), outcomes: { own: 0, failed: 0, unreadable: 0 }, behind: 0 };
  const seeds = Array.from({ length: most }, (_, at) => at + 1);
  const player = async (): Promise<void> => {
    for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop())
      await play(seed, sharing, wrongs, tally);
  };
  await Promise.all(Array.from({ length: 8 }, player));
  expect([...tally.told.values()].every((times) => times === 1)).toBe(true);
  return tally;
};

const all = [...Object.values(noticeable), ...Object.values(disguised)];

test('where answers name their calls, no misframed answer reaches another call', async () => {
  const { outcomes, behind } = await rounds('echoed', all, 70);
  expect(outcomes.own).toBeGreaterThan(1_600);
  expect(outcomes.unreadable).toBe(0);
  expect(behind).toBeGreaterThan(50);
});

test('where they do not, nothing that HTTP can tell apart reaches another call', async () => {
  const { outcomes, behind } = await rounds('always', Object.values(noticeable), 40);
  expect(outcomes.own).toBeGreaterThan(900);
  expect(behind).toBeGreaterThan(50);
});

test('on connections of their own, nothing that HTTP can tell apart reaches another call', async () => {
  const { outcomes, behind } = await rounds('never', Object.values(noticeable), 40);
  expect(outcomes.own).toBeGreaterThan(900);
  expect(behind).toBe(0);
});
