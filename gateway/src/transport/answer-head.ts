// The head of an HTTP/1.1 answer. What follows it on the connection may belong to somebody else, so where the answer
// ends must be beyond doubt: whatever is not plainly written is refused, and the connection with it.

/** What arrived is no answer, or not one whose end is known. */
export class FramingError extends Error {}

/** Everything that is looked at; filled anew for each answer. */
export class AnswerHead {
  status = 0;
  /** bytes of the body; -1 where it comes in chunks */
  length = 0;
  /** whose answer it is, by its own word; null where it says two */
  callId: string | null | undefined = undefined;
  isJson = false;
  isEncoded = false;
  /** Nothing comes after it on this connection. */
  closes = false;
  /** milliseconds for which the other side says it keeps the connection when idle */
  keptMs = Number.POSITIVE_INFINITY;
  /** why it cannot be said where the answer ends */
  surprise: string | null = null;
}

const wellFormed =
  /^HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/;

const json = /^application\/(?:[\w.-]+\+)?json\b/i;

/** What may be the start of a head, as far as it has come. */
export const mayBecomeHead = (text: string): boolean =>
  (text.length < 7 ? 'HTTP/1.'.startsWith(text) : text.startsWith('HTTP/1.')) && !/(?:^|[^\r])\n/.test(text);

const surpriseIn = (
  status: number,
  lengths: number,
  length: number,
  codings: number,
  coding: string,
): string | null => {
  if (status < 200) return `status ${status} ahead of the answer`;
  if (status === 204 || status === 205 || status === 304) return `status ${status} instead of an answer`;
  if (codings > 0)
    return codings === 1 && coding === 'chunked' && lengths === 0
      ? null
      : 'an answer of two lengths, or in a coding';
  if (lengths === 0) return 'an answer of unknown length';
  return lengths === 1 && length >= 0 ? null : 'an answer of two lengths, or none';
};

/**
 * @param text a binary string with the line break of its last line, without the empty line
 * @throws FramingError
 */
export const readAnswerHead = (text: string, head: AnswerHead): void => {
  if (!wellFormed.test(text)) throw new FramingError('what came is no HTTP answer');
  head.status = Number(text.slice(9, 12));
  head.callId = undefined;
  head.isJson = false;
  head.isEncoded = false;
  // Whoever speaks HTTP/1.0 is believed one answer.
  head.closes = text.charCodeAt(7) === 48;
  head.keptMs = Number.POSITIVE_INFINITY;
  let [lengths, length, codings, types] = [0, 0, 0, 0];
  let coding = '';
  for (let at = text.indexOf('\n') + 1; at < text.length; ) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r', colon);
    switch (colon - at) {
      case 9: // x-call-id
        if (text.slice(at, colon).toLowerCase() === 'x-call-id')
          head.callId = head.callId === undefined ? text.slice(colon + 1, end).trim() : null;
        break;
      case 10: {
        const name = text.slice(at, colon).toLowerCase();
        if (name === 'connection' && /(?:^|,)\s*close\s*(?:,|$)/i.test(text.slice(colon + 1, end)))
          head.closes = true;
        else if (name === 'keep-alive') {
          const seconds = /timeout=(\d{1,9})/i.exec(text.slice(colon + 1, end))?.[1];
          if (seconds !== undefined) head.keptMs = Number(seconds) * 1_000;
        }
        break;
      }
      case 12: // content-type
        if (text.slice(at, colon).toLowerCase() === 'content-type')
          head.isJson = (types++ === 0 || head.isJson) && json.test(text.slice(colon + 1, end).trim());
        break;
      case 14: // content-length
        if (text.slice(at, colon).toLowerCase() === 'content-length') {
          lengths += 1;
          const told = text.slice(colon + 1, end).trim();
          length = /^\d{1,15}$/.test(told) ? Number(told) : -1;
        }
        break;
      case 16: // content-encoding
        if (text.slice(at, colon).toLowerCase() === 'content-encoding') head.isEncoded = true;
        break;
      case 17: // transfer-encoding
        if (text.slice(at, colon).toLowerCase() === 'transfer-encoding') {
          codings += 1;
          coding = text
            .slice(colon + 1, end)
            .trim()
            .toLowerCase();
        }
    }
    at = end + 2;
  }
  head.length = codings > 0 ? -1 : length;
  head.surprise = surpriseIn(head.status, lengths, length, codings, coding);
};
