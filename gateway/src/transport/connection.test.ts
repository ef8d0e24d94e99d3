// What happens on one connection, byte by byte, as a raw server has it.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type HttpOptions, type HttpTransport, openHttpTransport } from './http.ts';

const toClose: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

const answerOf = (text: string, more = ''): string => {
  const body = JSON.stringify({ data: text });
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${more}content-length: ${body.length}\r\n\r\n${body}`;
};

type Asked = { readonly query: string; readonly socket: Socket; readonly number: number };

/** A server that is told of each request as soon as it is whole; one at a time on a connection. */
const serve = async (answer: (asked: Asked) => void, greet?: (socket: Socket) => void) => {
  const heard: string[] = [];
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    const number = connections++;
    let text = '';
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.setEncoding('latin1');
    greet?.(socket);
    socket.on('data', (part: string) => {
      text += part;
      const length = Number(/content-length: (\d+)/.exec(text)?.[1]);
      const end = text.indexOf('\r\n\r\n') + 4;
      if (end < 4 || text.length < end + length) return;
      const { query } = JSON.parse(text.slice(end, end + length));
      text = text.slice(end + length);
      heard.push(query);
      answer({ query, socket, number });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  toClose.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, heard, connections: () => connections };
};

const open = (origin: string, options: Partial<HttpOptions<null>> = {}): HttpTransport<null> => {
  const transport = openHttpTransport<null>({
    name: 'raw',
    origin,
    path: '/graphql',
    headersOf: () => [],
    timeoutMs: 5_000,
    largestAnswer: 1_000_000,
    sharing: 'never',
    ...options,
  });
  toClose.push(transport.close);
  return transport;
};

const ask = (transport: HttpTransport<null>, query: string, isQuery = true): Promise<string> =>
  new Promise((resolve, reject) => {
    transport.send(JSON.stringify({ query }), isQuery, null, {
      answered: (body) => resolve(JSON.parse(body).data),
      failed: reject,
    });
  });

test('an answer that nobody asked for is nobody’s, however long the connection was quiet', async () => {
  const { origin, connections } = await serve(({ query, socket, number }) => {
    socket.write(answerOf(query));
    if (number === 0) setTimeout(() => socket.write(answerOf('poison')), 20);
  });
  const transport = open(origin);
  expect(await ask(transport, 'first')).toBe('first');
  await pause(200);
  expect(await ask(transport, 'second')).toBe('second');
  expect(connections()).toBe(2);
});

test('what was never written goes elsewhere, a mutation too, and is heard once', async () => {
  const { origin, heard, connections } = await serve(({ query, socket }) => {
    socket.write(query === 'first' ? answerOf(query) + answerOf('poison') : answerOf(query));
  });
  const transport = open(origin);
  const second = await new Promise<string>((resolve, reject) => {
    transport.send('{"query":"first"}', true, null, {
      // Its connection is free at this moment, and more has arrived on it already.
      answered: () => ask(transport, 'mutation', false).then(resolve, reject),
      failed: reject,
    });
  });
  expect(second).toBe('mutation');
  expect(heard).toEqual(['first', 'mutation']);
  expect(connections()).toBe(2);
});

test('a mutation that was written is not sent again, whatever comes back', async () => {
  const { origin, heard } = await serve(({ socket }) => socket.write('nonsense\r\n\r\n'));
  await expect(ask(open(origin), 'mutation', false)).rejects.toMatchObject({ reason: 'framing' });
  expect(heard).toEqual(['mutation']);
});

test('an answer may come byte by byte, in a piece or in chunks', async () => {
  const drip = async (socket: Socket, text: string): Promise<void> => {
    for (const byte of text) {
      socket.write(byte, 'latin1');
      await pause(0);
    }
  };
  const { origin, connections } = await serve(({ query, socket }) => {
    const body = JSON.stringify({ data: query });
    const chunks = [body.slice(0, 3), body.slice(3)]
      .map((part) => `${part.length.toString(16)};x=1\r\n${part}\r\n`)
      .join('');
    const chunked = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
    void drip(socket, query === 'chunks' ? chunked : answerOf(query));
  });
  const transport = open(origin);
  expect(await ask(transport, 'chunks')).toBe('chunks');
  expect(await ask(transport, 'piece')).toBe('piece');
  expect(connections()).toBe(1);
});

test('a body longer than what is received at a time arrives whole', async () => {
  const long = 'ä'.repeat(200_000);
  const { origin } = await serve(({ query, socket }) => {
    const body = JSON.stringify({ data: query === 'long' ? long : query });
    const bytes = Buffer.from(body);
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${bytes.length}\r\n\r\n`,
    );
    socket.write(bytes);
  });
  const transport = open(origin);
  const [text] = await Promise.all([ask(transport, 'long'), ask(transport, 'short')]);
  expect(Buffer.from(text!, 'latin1').toString()).toBe(long);
});

test('whoever waits for a connection gets one, unless his time is over', async () => {
  let most = 0;
  let now = 0;
  const { origin, heard } = await serve(({ query, socket }) => {
    now += 1;
    most = Math.max(most, now);
    setTimeout(() => {
      now -= 1;
      socket.write(answerOf(query));
    }, 20);
  });
  const transport = open(origin, { connections: 2 });
  const asked = Array.from({ length: 20 }, (_, at) => `q${at}`);
  expect(await Promise.all(asked.map((query) => ask(transport, query)))).toEqual(asked);
  expect(most).toBe(2);
  const hasty = open(origin, { connections: 1, timeoutMs: 120 });
  const outcomes = await Promise.allSettled(asked.map((query) => ask(hasty, `late ${query}`)));
  const lost = outcomes.filter(({ status }) => status === 'rejected').length;
  expect(lost).toBeGreaterThan(5);
  expect(heard.filter((query) => query.startsWith('late')).length).toBeLessThanOrEqual(21 - lost);
});

test('a connection that the other side will close soon is not used again', async () => {
  const { origin, connections } = await serve(({ query, socket }) => {
    socket.write(answerOf(query, query === 'close' ? 'connection: close\r\n' : 'keep-alive: timeout=1\r\n'));
  });
  const transport = open(origin);
  expect(await ask(transport, 'close')).toBe('close');
  expect(await ask(transport, 'short')).toBe('short');
  expect(connections()).toBe(2);
  await pause(1_200);
  expect(await ask(transport, 'again')).toBe('again');
  expect(connections()).toBe(3);
});
