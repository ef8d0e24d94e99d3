// A subgraph that costs next to nothing and is slow on demand, in a process of its own: `node subgraph.ts KIND`, which
// prints its port. Kinds: fast; rare (each hundredth call takes 200 ms); named (calls of slowOne take 200 ms); and a
// number of milliseconds that each call takes, with an s behind it for one call at a time per connection.
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const kind = process.argv[2] ?? 'fast';
const answer = Buffer.from(
  '{"data":{"me":{"id":"1","name":"Ada","email":"ada@example.org","city":"London"}}}',
);
const every = Number.parseFloat(kind) || 0;
const lines = new WeakMap<Socket, Promise<void>>();
let calls = 0;

const delayOf = (body: string): number => {
  if (kind === 'rare') return calls % 100 === 0 ? 200 : 0;
  if (kind === 'named') return body.includes('slowOne') ? 200 : 0;
  return every;
};

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('latin1');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    calls += 1;
    const id = request.headers['x-call-id'];
    const end = (): void => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': answer.length,
        ...(id !== undefined && { 'x-call-id': id }),
      });
      response.end(answer);
    };
    const delay = delayOf(body);
    if (delay === 0) end();
    else if (kind.endsWith('s')) {
      const before = lines.get(request.socket) ?? Promise.resolve();
      const mine = before.then(() => new Promise<void>((resolve) => setTimeout(resolve, delay))).then(end);
      lines.set(request.socket, mine);
    } else setTimeout(end, delay);
  });
});

server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
