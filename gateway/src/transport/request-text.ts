// A request to a subgraph as it goes over the wire. Values come from clients' headers, so what could end a line early is
// refused.
import { callIdHeader } from './trust.ts';

const plainName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Also what is no binary string: its other half could be a line break. */
const unsafe = /[^\t\x20-\x7e\x80-\xff]/;

/** What we say ourselves. */
const own = new Set(['content-type', 'accept', callIdHeader]);
/** What belongs to the connection, or says where a request ends. */
const forbidden = new Set([
  'host',
  'content-encoding',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'proxy-connection',
]);

type Verdict = 'sent' | 'left out' | 'refused';

const judge = (name: string): Verdict => {
  const lower = name.toLowerCase();
  if (!plainName.test(name) || forbidden.has(lower)) return 'refused';
  return own.has(lower) ? 'left out' : 'sent';
};

/** Names come from a configuration, again and again the same. */
const mostVerdicts = 1_000;
const verdicts = new Map<string, Verdict>();

const verdictOn = (name: string): Verdict => {
  const known = verdicts.get(name);
  if (known !== undefined) return known;
  const verdict = judge(name);
  if (verdicts.size < mostVerdicts) verdicts.set(name, verdict);
  return verdict;
};

const line = (name: string, value: string): string => {
  const verdict = verdictOn(name);
  if (verdict === 'left out') return '';
  if (verdict === 'refused' || unsafe.test(value)) throw new TypeError(`the header ${name} cannot be sent`);
  return `${name}: ${value}\r\n`;
};

/**
 * Lines of a request's head.
 * @param headers a list holds names and values by turns
 * @throws TypeError for what cannot stand there
 */
export const headerLines = (headers: readonly string[] | Readonly<Record<string, string>>): string => {
  let text = '';
  if (Array.isArray(headers))
    for (let at = 0; at < headers.length; at += 2) text += line(headers[at]!, headers[at + 1]!);
  else for (const [name, value] of Object.entries(headers)) text += line(name, value);
  return text;
};

/** Everything that all requests to one place begin with. */
export const requestStart = (host: string, path: string): string => {
  const safePath = /^\/[\x21-\x7e]*$/.test(path) ? path : encodeURI(path);
  return (
    `POST ${safePath} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n` +
    'content-type: application/json\r\naccept: application/json\r\n'
  );
};
