// The load as a process of its own, forked by the bench: it is told what to ask of whom, and tells what came of it.
import { spreadOf } from '../report.ts';
import { authorizationOf } from './control.ts';
import type { Asked, Heard } from './load-messages.ts';
import { type Connection, openConnection, requestText } from './wire.ts';

const run = async ({ number, port, body, connections, limit, expectedBytes, tokens, isIdentical }: Asked) => {
  const took: number[] = [];
  let [begun, errors] = [0, 0];
  const clients: Connection[] = await Promise.all(
    Array.from({ length: connections }, () => openConnection(port)),
  );
  const startedAt = performance.now();
  const endsAt = startedAt + (limit.seconds ?? Number.POSITIVE_INFINITY) * 1_000;
  const most = limit.requests ?? Number.POSITIVE_INFINITY;

  const keepAsking = (client: Connection): Promise<void> =>
    new Promise((over) => {
      const next = (): void => {
        const askedAt = performance.now();
        if (askedAt >= endsAt || begun >= most) {
          over();
          return;
        }
        begun += 1;
        const own = tokens ? `Bearer ${tokens[begun % tokens.length]}` : authorizationOf(number, begun);
        const authorization = isIdentical ? null : own;
        client.ask(requestText(port, body, authorization), (exchange) => {
          took.push(performance.now() - askedAt);
          if (exchange?.status !== 200 || exchange.body.length !== expectedBytes) errors += 1;
          // A broken connection stays broken, and its client goes home.
          if (exchange === null) over();
          else next();
        });
      };
      next();
    });

  await Promise.all(clients.map(keepAsking));
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const client of clients) client.close();
  const heard: Heard = { requests: took.length, errors, seconds, took: spreadOf(took) };
  process.send!(heard);
};

process.on('message', (asked: Asked) => void run(asked));
process.on('disconnect', () => process.exit());
