import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { callHttp, type HttpCall } from './http-call.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const serve = async (answer: RequestListener): Promise<URL> => {
  const server = createServer(answer);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/there?x=1`);
};

const call: HttpCall = { method: 'POST', headers: { 'x-name': 'y' }, body: '{"a":"ä"}', timeoutMs: 2_000 };

test('what is said arrives as it is, and so does the answer', async () => {
  const url = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, headers } = request;
    response
      .writeHead(201)
      .end([method, request.url, headers['x-name'], headers['content-length'], body].join(' '));
  });
  expect(await callHttp(url, call)).toEqual({ status: 201, text: 'POST /there?x=1 y 10 {"a":"ä"}' });
  expect(await callHttp(url, { method: 'GET', headers: {}, timeoutMs: 2_000 })).toEqual({
    status: 201,
    text: 'GET /there?x=1   ',
  });
});

test('one call after the other needs one connection', async () => {
  const sockets = new Set<Socket>();
  const url = await serve((request, response) => {
    sockets.add(request.socket);
    response.end('{}');
  });
  for (let n = 0; n < 5; n++) await callHttp(url, call);
  expect(sockets.size).toBe(1);
});

test('a redirect is not followed', async () => {
  const url = await serve(
    (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end('gone'),
  );
  expect(await callHttp(url, call)).toEqual({ status: 302, text: 'gone' });
});

describe('there is no answer', () => {
  test.each<[string, RequestListener, RegExp]>([
    ['where none begins in time', () => undefined, /timeout: 127.0.0.1:\d+ has not answered within 200 ms/],
    ['where one begins and does not end', (_, response) => void response.write('{'), /timeout|aborted/],
    [
      'where it is cut off',
      (_, response) => void response.write('{', () => response.destroy()),
      /aborted|hang up/,
    ],
  ])('%s', async (_, answer, message) => {
    const url = await serve(answer);
    await expect(callHttp(url, { ...call, timeoutMs: 200 })).rejects.toThrow(message);
  });

  test('where nobody listens, and by another protocol', async () => {
    await expect(callHttp(new URL('http://127.0.0.1:9'), call)).rejects.toThrow('ECONNREFUSED');
    await expect(callHttp(new URL('ftp://127.0.0.1:9'), call)).rejects.toThrow('ftp: is not HTTP');
  });
});
