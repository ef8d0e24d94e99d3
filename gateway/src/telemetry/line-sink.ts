// Lines on their way to a file descriptor, many at a time and never waited for. When nobody reads them they are dropped,
// and counted, before they fill the memory.
import { write as writeFile, writeSync } from 'node:fs';

export type LineSink = {
  readonly write: (line: string) => void;
  readonly dropped: () => number;
  /** Writes what is left. */
  readonly close: () => void;
};

/** characters at which lines are written without waiting for more */
const plenty = 32 * 1024;
/** milliseconds that a line waits for others */
const longest = 200;
/** characters that may wait */
const most = 4 * 1024 * 1024;

class Sink implements LineSink {
  readonly #fd: number;
  #text = '';
  #timer: NodeJS.Timeout | undefined;
  /** what the system has not taken yet */
  #rest: Buffer | null = null;
  #dropped = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write = (line: string): void => {
    if (this.#text.length >= most) {
      this.#dropped += 1;
      return;
    }
    this.#text += line;
    if (this.#text.length >= plenty) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), longest).unref();
  };

  dropped = (): number => this.#dropped;

  close = (): void => {
    clearTimeout(this.#timer);
    const last = Buffer.concat([this.#rest ?? Buffer.alloc(0), Buffer.from(this.#text)]);
    this.#text = '';
    this.#rest = null;
    try {
      for (let at = 0; at < last.length; ) at += writeSync(this.#fd, last, at);
    } catch {
      // Whoever reads is gone, or would have us wait: at the end of a process neither is worth an error.
    }
  };

  #flush(): void {
    if (this.#rest) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#rest = Buffer.from(this.#text);
    this.#text = '';
    this.#push();
  }

  #push(): void {
    const rest = this.#rest;
    if (!rest) return;
    writeFile(this.#fd, rest, 0, rest.length, null, (error, written) => {
      // Closed meanwhile, and written there.
      if (this.#rest !== rest) return;
      if (error && error.code !== 'EAGAIN') this.#rest = null;
      else this.#rest = written === rest.length ? null : rest.subarray(written);
      if (this.#rest) this.#timer = setTimeout(() => this.#push(), error ? longest : 0).unref();
      else if (this.#text.length >= plenty) this.#flush();
      else if (this.#text) this.#timer ??= setTimeout(() => this.#flush(), longest).unref();
    });
  }
}

export const openLineSink = (fd: number): LineSink => new Sink(fd);
