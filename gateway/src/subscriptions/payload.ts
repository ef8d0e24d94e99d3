// An event as clients get it: written once, whoever and how many they are.
import type { Mark } from './marks.ts';

const lineBreaks = /[\r\n]+/g;

export class Payload {
  /** Whatever has the same key is a newer event of the same thing. */
  readonly key: string;
  readonly mark: Mark;
  /** JSON of the execution result, UTF-8 */
  readonly json: Buffer;
  #eventStream: Buffer | null = null;

  /** @param body JSON as a binary string */
  constructor(key: string, mark: Mark, body: string) {
    this.key = key;
    this.mark = mark;
    this.json = Buffer.from(body, 'latin1');
  }

  /** As a message of an event stream: there is no id in it, so it is the same for all. */
  get eventStream(): Buffer {
    if (!this.#eventStream) {
      // A line break can stand only between JSON's words, where a blank is as good; here it would end the data.
      const text = this.json.toString('latin1').replace(lineBreaks, ' ');
      this.#eventStream = Buffer.from(`event: next\ndata: ${text}\n\n`, 'latin1');
    }
    return this.#eventStream;
  }
}
