// Clients of the hall without a library's manners.
import { sleep } from '@orderstream/runtime/time';
import { WebSocket } from 'ws';
import type { Hall } from './fixture-hall.ts';

export const until = async (isSo: () => boolean): Promise<void> => {
  for (let i = 0; i < 1_000; i++) {
    if (isSo()) return;
    await sleep(5);
  }
  throw new Error('it never came to be so');
};

type Message = { readonly id?: string; readonly type: string; readonly payload?: unknown };

export type Visit = {
  readonly socket: WebSocket;
  readonly heard: Message[];
  /** payloads of `next` for one id */
  readonly events: (id?: string) => unknown[];
  readonly send: (message: object | string) => void;
  readonly subscribe: (query: string, variables?: object, id?: string) => void;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
};

/** A socket without a library's manners. */
export const openSocket = async (
  { url }: Pick<Hall, 'url'>,
  protocols: string[] = ['graphql-transport-ws'],
  headers: Record<string, string> = {},
): Promise<Visit> => {
  const socket = new WebSocket(url.replace('http', 'ws'), protocols, { headers });
  const heard: Message[] = [];
  socket.on('message', (data) => heard.push(JSON.parse(String(data))));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const send = (message: object | string) =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  return {
    socket,
    heard,
    events: (id = '1') =>
      heard.filter((one) => one.type === 'next' && one.id === id).map(({ payload }) => payload),
    send,
    subscribe: (query, variables, id = '1') => send({ id, type: 'subscribe', payload: { query, variables } }),
    closed,
  };
};

/** A socket that has been greeted. */
export const visit = async (hall: Pick<Hall, 'url'>, authorization?: string): Promise<Visit> => {
  const one = await openSocket(hall);
  one.send({ type: 'connection_init', payload: { authorization } });
  await until(() => one.heard.length > 0);
  return one;
};
