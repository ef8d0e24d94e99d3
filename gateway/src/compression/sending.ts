// Sends an answer packed. Streams never come here: what is packed is held back until there is enough of it.
import type { ServerResponse } from 'node:http';
import type { Coding } from './coding.ts';
import type { Compression } from './compression.ts';

/** @param headers without length and coding */
export const sendPacked = (
  compression: Compression,
  coding: Coding,
  response: ServerResponse,
  status: number,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): void =>
  compression.pack(body, coding, (packed) => {
    if (response.headersSent || response.destroyed) return;
    // What stands there already was set for pages of other origins.
    response.appendHeader('vary', 'accept-encoding');
    response.writeHead(status, {
      ...headers,
      ...(packed.coding !== null && { 'content-encoding': packed.coding }),
      'content-length': packed.body.length,
    });
    response.end(packed.body);
  });
