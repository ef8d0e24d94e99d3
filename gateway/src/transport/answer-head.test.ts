import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { AnswerHead, FramingError, mayBecomeHead, readAnswerHead } from './answer-head.ts';

const head = new AnswerHead();
const read = (...lines: string[]): AnswerHead => {
  readAnswerHead(`${lines.join('\r\n')}\r\n`, head);
  return head;
};

test('what matters of a head is read, whatever the case of its names', () => {
  expect(
    read(
      'HTTP/1.1 200 OK',
      'Content-Type: application/graphql-response+json; charset=utf-8',
      'CONTENT-LENGTH:  17 ',
      'X-Call-Id: 4f',
      'Keep-Alive: timeout=5, max=100',
    ),
  ).toMatchObject({ status: 200, length: 17, callId: '4f', isJson: true, closes: false, keptMs: 5_000 });
  expect(head.surprise).toBeNull();
  expect(read('HTTP/1.1 200', 'transfer-encoding: Chunked', 'connection: keep-alive, Close')).toMatchObject({
    length: -1,
    callId: undefined,
    isJson: false,
    closes: true,
    surprise: null,
  });
});

test.each([
  ['an answer of another protocol', ['SSH-2.0-OpenSSH_9.9']],
  ['HTTP/2', ['HTTP/2 200', 'content-length: 1']],
  ['a status of two digits', ['HTTP/1.1 20', 'content-length: 1']],
  ['a header without a name', ['HTTP/1.1 200 OK', ': 1', 'content-length: 1']],
  ['a blank before the colon', ['HTTP/1.1 200 OK', 'content-length : 1']],
  ['a folded line', ['HTTP/1.1 200 OK', 'x: 1', ' content-length: 1']],
  ['half a line break', ['HTTP/1.1 200 OK', 'x: 1\ncontent-length: 1']],
  ['the other half', ['HTTP/1.1 200 OK', 'x: 1\rcontent-length: 1']],
  ['a zero byte', ['HTTP/1.1 200 OK', 'x: \0', 'content-length: 1']],
] as const)('%s is no answer', (_, lines) => {
  expect(() => read(...lines)).toThrow(FramingError);
});

test.each([
  ['no length', []],
  ['two lengths', ['content-length: 1', 'content-length: 2']],
  ['the same length twice', ['content-length: 1', 'Content-Length: 1']],
  ['a length that is none', ['content-length: 1, 1']],
  ['a negative length', ['content-length: -1']],
  ['chunks and a length', ['transfer-encoding: chunked', 'content-length: 1']],
  ['chunks twice', ['transfer-encoding: chunked', 'transfer-encoding: chunked']],
  ['chunks in another coding', ['transfer-encoding: gzip, chunked']],
])('%s leaves open where the answer ends', (_, lines) => {
  expect(read('HTTP/1.1 200 OK', ...lines).surprise).not.toBeNull();
});

test.each([101, 103, 204, 205, 304])('status %i is not an answer by itself', (status) => {
  expect(read(`HTTP/1.1 ${status} X`, 'content-length: 1').surprise).not.toBeNull();
});

test('who answers in two names has none', () => {
  expect(read('HTTP/1.1 200 OK', 'x-call-id: 1', 'x-call-id: 1', 'content-length: 1').callId).toBeNull();
});

test('the start of a head may become one, and nothing else may', () => {
  for (const start of ['', 'H', 'HTTP/1.', 'HTTP/1.1 200 OK\r\ncontent-le'])
    expect(mayBecomeHead(start)).toBe(true);
  for (const start of ['h', 'HTTP/2', 'SSH-2.0', 'HTTP/1.1 200 OK\n', '\r\n'])
    expect(mayBecomeHead(start)).toBe(false);
});

/** What Node's own client makes of the bytes; null where it takes them for no answer, or not for a whole one. */
const asNode = async (bytes: string): Promise<string | null> => {
  const socket = new Duplex({
    read: () => undefined,
    write: (_chunk, _coding, done) => done(),
  });
  const asked = request({ method: 'POST', path: '/', createConnection: () => socket });
  asked.on('error', () => undefined);
  const answered = once(asked, 'response').catch(() => null);
  asked.end();
  socket.push(Buffer.from(bytes, 'latin1'));
  socket.push(null);
  const found = await answered;
  if (!found) return null;
  const response = found[0] as IncomingMessage;
  let text = '';
  response.setEncoding('latin1');
  response.on('data', (part: string) => {
    text += part;
  });
  response.on('error', () => undefined);
  await once(response, 'close');
  return response.complete ? text : null;
};

/** Repeatable numbers below `most`. */
const dice = (seed: number): ((most: number) => number) => {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * most);
  };
};

const pieces = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  ':',
  ',',
  '\0',
  '\t',
  '0',
  '9',
  'x',
  '\x80',
  'content-length: 3\r\n',
];

test('what is taken for an answer after any damage, Node takes for the same answer', async () => {
  const roll = dice(7);
  let taken = 0;
  let refused = 0;
  for (let round = 0; round < 600; round += 1) {
    const body = '{"data":{"a":1}}';
    let text = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-call-id: 4f\r\ncontent-length: ${body.length}\r\n\r\n`;
    for (let damage = roll(3); damage >= 0; damage -= 1) {
      const at = roll(text.length);
      const how = roll(3);
      const piece = pieces[roll(pieces.length)]!;
      text = text.slice(0, at) + (how === 0 ? '' : piece) + text.slice(how === 1 ? at : at + 1);
    }
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) continue;
    const bytes = text + body;
    try {
      readAnswerHead(text.slice(0, end + 2), head);
    } catch {
      refused += 1;
      continue;
    }
    const rest = bytes.slice(end + 4);
    if (head.surprise || head.length < 0 || rest.length < head.length) {
      refused += 1;
      continue;
    }
    taken += 1;
    const ours = rest.slice(0, head.length);
    expect(await asNode(bytes.slice(0, end + 4 + head.length)), JSON.stringify(text)).toBe(ours);
  }
  expect(taken).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
});
