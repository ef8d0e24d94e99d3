// A floor: node:http answering the same to everybody, `node constant.ts ANSWER PORT`.
import { createServer } from 'node:http';

const [answer, port] = process.argv.slice(2);
const headers = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(answer!))];

createServer((request, response) => {
  request.on('data', () => undefined);
  request.on('end', () => {
    response.writeHead(200, headers);
    response.end(answer);
  });
}).listen(Number(port), '127.0.0.1');
