// Lines on their way to a file descriptor, many at a time and never waited for. When nobody reads them they are dropped,
// and counted, before they fill the memory.
import { write as writeFile, writeSync } from 'node:fs';
import { within } from '@orderstream/runtime/time';

export type LineSink = {
  readonly write: (line: string) => void;
  readonly dropped: () => number;
  /** Writes what is left, unless nobody takes it within a second. */
  readonly close: () => Promise<void>;
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
  #isWriting = false;
  #isClosed = false;
  readonly #whenWritten: (() => void)[] = [];
  #dropped = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write = (line: string): void => {
    if (this.#isClosed || this.#text.length >= most) {
      this.#dropped += 1;
      return;
    }
    this.#text += line;
    if (this.#text.length >= plenty) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), longest).unref();
  };

  dropped = (): number => this.#dropped;

  close = async (): Promise<void> => {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    // What is with the system already must not be written twice.
    if (this.#isWriting) {
      const written = new Promise<void>((resolve) => this.#whenWritten.push(resolve));
      await within(1_000, 'the last lines', written).catch(() => undefined);
    }
    if (this.#isWriting) return;
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
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // When that is written, the rest follows.
    if (this.#rest) return;
    this.#rest = Buffer.from(this.#text);
    this.#text = '';
    this.#push();
  }

  #push(): void {
    const rest = this.#rest!;
    this.#isWriting = true;
    writeFile(this.#fd, rest, 0, rest.length, null, (error, written) => {
      this.#isWriting = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const isBusy = error?.code === 'EAGAIN';
      if (!error) this.#rest = written === rest.length ? null : rest.subarray(written);
      else if (!isBusy) this.#lose(rest);
      if (this.#isClosed) for (const tell of this.#whenWritten) tell();
      else if (this.#rest) this.#timer = setTimeout(() => this.#push(), isBusy ? longest : 0).unref();
      else if (this.#text.length >= plenty) this.#flush();
      else if (this.#text) this.#timer = setTimeout(() => this.#flush(), longest).unref();
    });
  }

  #lose(lines: Buffer): void {
    this.#rest = null;
    for (let at = lines.indexOf(10); at >= 0; at = lines.indexOf(10, at + 1)) this.#dropped += 1;
  }
}

export const openLineSink = (fd: number): LineSink => new Sink(fd);
