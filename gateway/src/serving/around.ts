// What is served beside GraphQL: health, metrics, and the pages of the place.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError } from '@orderstream/runtime/errors';
import { type Check, checkHealth } from '@orderstream/runtime/host/health';
import type { Compression } from '../compression/compression.ts';
import { sendText } from '../compression/sending.ts';
import type { Reloading } from '../reload/reloading.ts';
import { contentType as metricsType } from '../telemetry/registry.ts';
import { send } from './answers.ts';
import type { Generation } from './generation.ts';
import type { Particulars } from './particulars.ts';
import { one } from './request.ts';

type Options = {
  readonly compression: Compression;
  readonly pageAt: Particulars['pageAt'];
  readonly checks: Readonly<Record<string, Check>>;
  /** null: nowhere */
  readonly metricsPath: string | null;
  /** of this process and its siblings */
  readonly metricsText: () => Promise<string>;
  readonly reloading: Reloading<Generation>;
  readonly isStopping: () => boolean;
};

export type Around = (path: string, request: IncomingMessage, response: ServerResponse) => Promise<void>;

export const createAround = (options: Options): Around => {
  const { compression, pageAt, checks, metricsPath, metricsText, reloading, isStopping } = options;

  const ready = async (response: ServerResponse): Promise<void> => {
    const subgraphs = Object.fromEntries(
      [...reloading.current().transports].map(([name, transport]) => [name, transport.state()]),
    );
    const health = await checkHealth(checks);
    const isReady = health.ready && !isStopping();
    send(response, isReady ? 200 : 503, JSON.stringify({ ...health, ready: isReady, subgraphs }));
  };

  const page = async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const found =
      pageAt && isRead
        ? await pageAt(path, request.headers.host ?? '', one(request.headers['accept-encoding']))
        : null;
    if (found) {
      send(response, found.status, found.body, found.headers);
      return;
    }
    const { message, extensions } = new RequestError('NOT_FOUND', 'There is nothing here.');
    send(response, 404, JSON.stringify({ errors: [{ message, extensions }] }));
  };

  return async (path, request, response) => {
    if (path === '/health/ready') return ready(response);
    if (path === '/health') return send(response, 200, '{"status":"up"}');
    if (path === metricsPath)
      return sendText(compression, response, 200, await metricsText(), { 'content-type': metricsType });
    return page(path, request, response);
  };
};
