// The gateway's subscriptions alone, `node subscriptions-gateway.ts PORT ORIGIN`: viewers are nobody in particular, and
// subgraphs are asked without a signature.
import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createLog } from '@orderstream/runtime/log';
import { parse } from 'graphql';
import { readVariables } from '../../../gateway/src/limits/variables.ts';
import { openSupergraph } from '../../../gateway/src/plan/supergraph.ts';
import { usualBounds } from '../../../gateway/src/subscriptions/bounds.ts';
import { createPreparation } from '../../../gateway/src/subscriptions/preparation.ts';
import { openSubscriptions } from '../../../gateway/src/subscriptions/subscriptions.ts';
import { openHttpTransport } from '../../../gateway/src/transport/http.ts';
import { openUpstream } from '../../../gateway/src/transport/upstream.ts';
import { supergraphOf } from './subscriptions-world.ts';

const [port = '', origin = ''] = process.argv.slice(2);
const log = createLog('bench', 'warn');
const supergraph = openSupergraph(supergraphOf(origin));
const names = [...supergraph.subgraphs.keys()];
const transports = new Map(
  names.map((name) => [
    name,
    openHttpTransport<null>({
      name,
      origin,
      path: `/${name}`,
      timeoutMs: 5_000,
      largestAnswer: 1_000_000,
      headersOf: () => ['content-type', 'application/json'],
    }),
  ]),
);
const upstreams = new Map(
  names.map((name) => [name, openUpstream<null>({ name, origin, path: `/${name}`, log })]),
);

const subscriptions = openSubscriptions<null>({
  preparation: createPreparation<null>({
    supergraph,
    transports,
    hidesSuggestions: false,
    rules: {
      parse: (text) => parse(text),
      readVariables: (operation, given) => readVariables(supergraph.apiSchema, operation, given),
      check: () => undefined,
    },
  }),
  upstreams,
  receive: () => ({
    address: 'here',
    signIn: async () => ({ user: null, expiresAt: null, asking: () => null }),
  }),
  shareKeyOf: () => '',
  renew: () => null,
  tell: (error) => error.toJSON(),
  tellRefusal: (error) => error,
  log,
  bounds: {
    ...usualBounds,
    clientsPerAddress: usualBounds.clients,
    subscriptionsPerAddress: usualBounds.clients,
  },
});

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const server = createServer((_request, response) => {
  const longestTurnMs = delay.max / 1e6;
  // Asked between the measures only: memory is told as it is without what nobody needs any more.
  globalThis.gc?.();
  response.end(JSON.stringify({ ...subscriptions.state(), rss: process.memoryUsage.rss(), longestTurnMs }));
  delay.reset();
});
server.on('upgrade', subscriptions.upgrade);
server.listen(Number(port), '127.0.0.1');
