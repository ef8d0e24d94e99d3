import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { apiOf } from './api.ts';
import { openBook } from './book.ts';
import { controlOf } from './control.ts';
import { faultsOf } from './faults.ts';
import { serverOf } from './server.ts';
import { type Endpoint, startCourier } from './webhooks.ts';

export type Settings = {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataFile: string;
  readonly durable: boolean;
  readonly apiKey: string;
  readonly controlToken: string | null;
  readonly webhook: Endpoint | null;
};

export type Simulator = { readonly url: string; readonly port: number; readonly close: () => Promise<void> };

/** Requests that are being answered may finish for this long, in milliseconds. */
const GRACE = 2000;

/** Opens the book, goes on with the deliveries it still owes, and serves. Rejects when the port is taken. */
export const startSimulator = async (settings: Settings): Promise<Simulator> => {
  const { host, apiKey, controlToken, webhook } = settings;
  const book = openBook(settings.dataFile, settings.durable);
  const faults = faultsOf(book);
  const notifies = (type: string): boolean => webhook !== null && (webhook.events?.has(type) ?? true);
  const courier = startCourier(book, faults, webhook);
  const server = serverOf({
    apiKey,
    controlToken,
    api: apiOf({ book, faults, notifies }, courier.wake),
    control: controlOf({ book, faults, courier, notifies }),
    isHealthy: () => book.get('select 1') !== undefined,
  });
  const stop = async () => {
    await courier.close();
    book.close();
  };
  server.listen(settings.port, host);
  await once(server, 'listening').catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      const impatience = setTimeout(() => server.closeAllConnections(), GRACE);
      await closed;
      clearTimeout(impatience);
      await stop();
    },
  };
};
