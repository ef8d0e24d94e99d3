import { expect, test } from 'vitest';
import { readExchange, requestText } from './wire.ts';

const read = (text: string) => {
  const found = readExchange(Buffer.from(text, 'utf8'));
  return found && { status: found.status, body: found.body.toString('utf8') };
};

test('an answer is whole when its length has come', () => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n';
  expect(read('HTTP/1.1 200 OK\r\nContent-Le')).toBeNull();
  expect(read(`${answer}äb`)).toBeNull();
  expect(read(`${answer}äbc`)).toEqual({ status: 200, body: 'äbc' });
});

test('an answer in chunks is whole with the last of them', () => {
  const head = 'HTTP/1.1 503 Sorry\r\ntransfer-encoding: chunked\r\n\r\n';
  expect(read(`${head}3\r\nabc\r\n`)).toBeNull();
  expect(read(`${head}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`)).toEqual({ status: 503, body: 'abcde' });
});

test('who asks is named, or nobody is', () => {
  expect(requestText(80, '{"query":"ü"}', 'Bearer x')).toMatch(
    /authorization: Bearer x\r\ncontent-length: 14\r\n\r\n\{"query":"ü"\}$/,
  );
  expect(requestText(80, '{}', null)).not.toContain('authorization');
});
