// The gateway signs every request to a subgraph: method, path, time, viewer and the bytes of the body. A subgraph
// answers nothing else, so reaching its port is not enough to read an entity.
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type Viewer, viewerFromText, viewerToText } from './viewer.ts';

export const signatureHeader = 'x-orderstream-signature';
export const viewerHeader = 'x-orderstream-viewer';

/** milliseconds a signature is good for, before and after */
const tolerance = 30_000;

// A KeyObject is four times cheaper for each signature than the raw bytes.
export const signingKey = (secret: string): KeyObject => createSecretKey(Buffer.from(secret));

const mac = (
  key: KeyObject,
  method: string,
  path: string,
  time: string,
  viewer: string,
  body: Buffer | string,
): Buffer =>
  createHmac('sha256', key).update(`${method}\n${path}\n${time}\n${viewer}\n`).update(body).digest();

export type Signed = { readonly viewer: string; readonly signature: string };

export const sign = (
  key: KeyObject,
  method: string,
  path: string,
  viewer: Viewer,
  body: Buffer | string,
  now: Date,
): Signed => {
  const text = viewerToText(viewer);
  const time = String(now.getTime());
  return {
    viewer: text,
    signature: `${time}.${mac(key, method, path, time, text, body).toString('base64url')}`,
  };
};

/** The viewer, or null where the signature is missing, wrong, of another request or more than 30 s off. */
export const verify = (
  key: KeyObject,
  method: string,
  path: string,
  given: { readonly viewer?: unknown; readonly signature?: unknown },
  body: Buffer | string,
  now: Date,
): Viewer | null => {
  if (typeof given.viewer !== 'string' || typeof given.signature !== 'string') return null;
  const [time, digest, ...rest] = given.signature.split('.');
  if (!time || !digest || rest.length > 0 || !(Math.abs(now.getTime() - Number(time)) <= tolerance))
    return null;
  const got = Buffer.from(digest, 'base64url');
  const want = mac(key, method, path, time, given.viewer, body);
  return got.length === want.length && timingSafeEqual(got, want) ? viewerFromText(given.viewer) : null;
};

/** What is signed of a subscription: it has no body of bytes of its own on a socket. */
export const subscriptionBody = (query: string, variables: unknown): string =>
  JSON.stringify([query, variables ?? {}]);
