// All four subgraphs as one process: `node subgraphs.ts PORT`. What arrives is counted, above all whether somebody's
// authorization came along; the bench asks at /control, and tells there how slow to be.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Answerer, openAnswerer, subgraphNames } from './answers.ts';
import { authorizationPattern, type Delay, type Seen } from './control.ts';

const answerers = new Map<string, Answerer>(subgraphNames.map((name) => [`/${name}`, openAnswerer(name)]));

let seen: Seen = { calls: 0, unauthorized: 0, last: [] };
let delay: Delay = { usualMs: 0, slowMs: 0, slowOneIn: 0 };

/** Deterministic: every n-th call is the slow one. */
const waitOf = (call: number): number =>
  delay.slowOneIn > 0 && call % delay.slowOneIn === 0 ? delay.slowMs : delay.usualMs;

const control = (body: string): string => {
  const told = seen;
  if (body !== '') {
    delay = JSON.parse(body);
    seen = { calls: 0, unauthorized: 0, last: [] };
  }
  return JSON.stringify(told);
};

/** Of how many calls the authorization is kept: a query makes no more. */
const keptCalls = 32;

const count = (authorization: string | undefined): void => {
  seen.calls += 1;
  if (authorization === undefined || !authorizationPattern.test(authorization)) seen.unauthorized += 1;
  seen.last[seen.calls % keptCalls] = authorization ?? '';
};

/** Whoever names a call hears the name again, as from subgraphs that ours may share connections to. */
const callHeader = 'x-call-id';

const send = (response: ServerResponse, answer: string): void => {
  const bytes = Buffer.from(answer);
  const headers = ['content-type', 'application/json', 'content-length', String(bytes.length)];
  const call = response.req.headers[callHeader];
  if (typeof call === 'string') headers.push(callHeader, call);
  response.writeHead(200, headers);
  response.end(bytes);
};

const answer = (request: IncomingMessage, response: ServerResponse, body: string): void => {
  if (request.url === '/control') {
    send(response, control(body));
    return;
  }
  const answerer = answerers.get(request.url!);
  if (!answerer) {
    response.writeHead(404);
    response.end();
    return;
  }
  count(request.headers.authorization);
  const wait = waitOf(seen.calls);
  const told = answerer(body);
  if (wait === 0 && typeof told === 'string') send(response, told);
  else setTimeout(async () => send(response, await told), wait);
};

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part: string) => {
    body += part;
  });
  request.on('end', () => answer(request, response, body));
});
server.listen(Number(process.argv[2]), '127.0.0.1');
