// Calls to other services over HTTP, on connections that stay open. Not by `fetch`, which costs several times as much of
// the processor for a short answer.
import http from 'node:http';
import https from 'node:https';

const agents = {
  'http:': new http.Agent({ keepAlive: true }),
  'https:': new https.Agent({ keepAlive: true }),
};

export type HttpCall = {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** milliseconds for the whole of it, the answer's last byte included */
  readonly timeoutMs: number;
};

export type HttpAnswer = { readonly status: number; readonly text: string };

/** Redirects are answers like others. @throws where there is no whole answer in time */
export const callHttp = (url: URL, { method, headers, body, timeoutMs }: HttpCall): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    const { protocol } = url;
    if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`${protocol} is not HTTP`);
    const { request } = protocol === 'https:' ? https : http;
    const length = body === undefined ? undefined : { 'content-length': Buffer.byteLength(body) };
    const calling = request(url, { method, agent: agents[protocol], headers: { ...headers, ...length } });
    const late = setTimeout(
      () => calling.destroy(new Error(`timeout: ${url.host} has not answered within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const fail = (error: Error): void => {
      clearTimeout(late);
      reject(error);
    };
    calling.on('error', fail);
    calling.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        clearTimeout(late);
        resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString() });
      });
      response.on('error', fail);
    });
    calling.end(body);
  });
