// A floor: node:http and one call of undici, JSON passed on as it is, `node one-call.ts SUBGRAPH PORT`.
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [subgraph, port] = process.argv.slice(2);
const { origin, pathname } = new URL(subgraph!);
const pool = new Pool(origin, { connections: 64 });

createServer((request, response) => {
  let body = '';
  request.setEncoding('latin1');
  request.on('data', (part: string) => {
    body += part;
  });
  request.on('end', async () => {
    const { authorization = '' } = request.headers;
    const answer = await pool.request({
      method: 'POST',
      path: pathname,
      headers: { 'content-type': 'application/json', authorization },
      body: Buffer.from(body, 'latin1'),
    });
    const text = await answer.body.text();
    response.writeHead(200, [
      'content-type',
      'application/json',
      'content-length',
      String(Buffer.byteLength(text)),
    ]);
    response.end(text);
  });
}).listen(Number(port), '127.0.0.1');
