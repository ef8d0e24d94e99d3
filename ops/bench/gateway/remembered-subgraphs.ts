// Stands before the shop's subgraphs and remembers what they answered: `node remembered-subgraphs.ts PORT ORIGIN`. An
// answer to a query follows from who asks and from the request's body, as long as nobody buys anything. A call then costs
// next to nothing, as in the bench's other rows, and a gateway has a core's worth of requests to answer.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { viewerHeader } from '@orderstream/runtime/signature';

const [, , port, origin] = process.argv;

type Answer = { readonly status: number; readonly type: string; readonly body: Buffer };

const answers = new Map<string, Answer>();
/** milliseconds */
const patience = 10_000;
/** Between two neighbours only, or of a length that is no longer true. */
const ofTheHop = new Set(['host', 'connection', 'keep-alive', 'content-length', 'accept-encoding']);

const ask = async (request: IncomingMessage, body: Buffer): Promise<Answer> => {
  const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' && !ofTheHop.has(name) ? [[name, value]] : [],
  );
  const answer = await fetch(`${origin}${request.url}`, {
    method: request.method!,
    headers,
    ...(request.method === 'POST' && { body }),
    signal: AbortSignal.timeout(patience),
  });
  return {
    status: answer.status,
    type: answer.headers.get('content-type') ?? 'application/json',
    body: Buffer.from(await answer.arrayBuffer()),
  };
};

const answered = (response: ServerResponse, { status, type, body }: Answer): void => {
  response.writeHead(status, ['content-type', type, 'content-length', String(body.length)]);
  response.end(body);
};

const answer = async (request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> => {
  const key = `${request.method} ${request.url} ${request.headers[viewerHeader] ?? ''} ${body.toString('latin1')}`;
  const before = answers.get(key);
  if (before) {
    answered(response, before);
    return;
  }
  try {
    const told = await ask(request, body);
    if (told.status === 200) answers.set(key, told);
    answered(response, told);
  } catch (error) {
    answered(response, { status: 502, type: 'text/plain', body: Buffer.from(String(error)) });
  }
};

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => void answer(request, response, Buffer.concat(parts)));
});
server.listen(Number(port), '127.0.0.1');
