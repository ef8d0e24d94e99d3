// Ten thousand clients in one process: sockets that say as little as they must.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import { microseconds, type Order, type Told, type Wish } from './subscriptions-world.ts';

const sockets: WebSocket[] = [];
let wish: Wish;
let connected = 0;
let closed = 0;
let subscribed = 0;
let wrong = 0;
let delays: number[] = [];

/** sockets that are opened at the same time */
const atOnce = 100;

const open = (index: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(wish.url, 'graphql-transport-ws', { perMessageDeflate: false });
    let version = 0;
    socket.once('open', () => socket.send('{"type":"connection_init"}'));
    socket.once('error', reject);
    socket.on('close', () => {
      closed += 1;
    });
    socket.on('message', (data) => {
      const { type, payload } = JSON.parse(String(data));
      if (type === 'connection_ack') {
        connected += 1;
        resolve();
      }
      if (type !== 'next') return;
      const { orderUpdated } = payload.data;
      if (version === 0) subscribed += 1;
      else delays.push(microseconds() - orderUpdated.happenedAt);
      if (orderUpdated.version <= version || orderUpdated.customer?.name === null) wrong += 1;
      version = orderUpdated.version;
    });
    sockets[index] = socket;
  });

const connect = async (): Promise<void> => {
  for (let from = 0; from < wish.clients; from += atOnce)
    await Promise.all(
      Array.from({ length: Math.min(atOnce, wish.clients - from) }, (_, index) => open(from + index)),
    );
};

const subscribe = async (): Promise<void> => {
  for (const [index, socket] of sockets.entries()) {
    const variables = { id: `o${index % wish.orders}` };
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: wish.question, variables } }));
    if (index % atOnce === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

const tell = (): Told => ({
  longestTurnMs: delay.max / 1e6,
  connected,
  closed,
  subscribed,
  events: delays.length,
  wrong,
  delays: delays.sort((a, b) => a - b),
});

process.on('message', async (order: Order) => {
  if (order.do === 'connect') {
    wish = order.wish;
    await connect();
  }
  if (order.do === 'subscribe') await subscribe();
  if (order.do === 'forget') {
    delays = [];
    delay.reset();
  }
  if (order.do === 'stall') for (const socket of sockets) socket.pause();
  if (order.do === 'resume') for (const socket of sockets) socket.resume();
  process.send!(order.do === 'tell' ? tell() : { ...tell(), delays: [] });
});
