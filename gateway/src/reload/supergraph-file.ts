// A supergraph in a file, told each time its text is another. Its folder is watched and not the file: editors and
// deployments put a new file in its place, and a ConfigMap's file is a link whose target is changed.
import { watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from '@orderstream/runtime/log';

export type SupergraphFile = {
  /** Looks now, whatever was told. */
  readonly look: () => Promise<void>;
  readonly close: () => void;
};

export type WatchOptions = {
  readonly file: string;
  /** Told of each text that is another than the one before; the first is what differs from `sdl`. */
  readonly onText: (sdl: string) => void;
  /** the text that is known already */
  readonly sdl: string;
  readonly log: Log;
  /** milliseconds of silence after which the file is taken to be whole */
  readonly quietMs?: number;
  /** Milliseconds between looks at the file's date, for file systems that tell of nothing. */
  readonly everyMs?: number;
};

export const watchSupergraph = ({
  file,
  onText,
  sdl,
  log,
  quietMs = 100,
  everyMs = 5_000,
}: WatchOptions): SupergraphFile => {
  let known = sdl;
  let changed = '';
  let isMissing = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();

  const read = async (): Promise<void> => {
    if (isClosed) return;
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (err) {
      if (!isMissing)
        log.warn({ err, file }, 'the supergraph cannot be read; the one before goes on serving');
      isMissing = true;
      return;
    }
    isMissing = false;
    if (isClosed || text === known) return;
    known = text;
    onText(text);
  };
  const look = (): Promise<void> => {
    looking = looking.then(read);
    return looking;
  };
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(look, quietMs);
  };

  const dated = async (): Promise<void> => {
    const { mtimeMs, size, ino } = await stat(file);
    const now = [mtimeMs, size, ino].join();
    if (changed && now !== changed) soon();
    changed = now;
  };
  const ticks = setInterval(() => dated().catch(soon), everyMs).unref();

  const watcher = watch(path.dirname(path.resolve(file)), { persistent: false }, soon);
  watcher.on('error', (err) => log.warn({ err, file }, 'the supergraph is looked at from time to time only'));
  // Whatever happened before the watch began.
  soon();

  return {
    look,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      clearInterval(ticks);
      watcher.close();
    },
  };
};
