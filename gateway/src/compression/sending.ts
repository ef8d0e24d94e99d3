// Sends an answer packed. Streams never come here: what is packed is held back until there is enough of it.
import type { ServerResponse } from 'node:http';
import type { Coding } from './coding.ts';
import type { Compression } from './compression.ts';

type Headers = Readonly<Record<string, string>>;

/** @param headers without length and coding */
export const sendPacked = (
  compression: Compression,
  coding: Coding,
  response: ServerResponse,
  status: number,
  body: Buffer,
  headers: Headers,
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

/** Sends a text as its client likes it. */
export const sendText = (
  compression: Compression,
  response: ServerResponse,
  status: number,
  text: string,
  headers: Headers,
): void => {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(text);
  const coding = compression.codingFor(response.req.headers['accept-encoding'], body.length);
  const { 'content-length': _length, ...others } = headers;
  if (coding !== null) sendPacked(compression, coding, response, status, body, others);
  else response.writeHead(status, { ...others, 'content-length': body.length }).end(body);
};
