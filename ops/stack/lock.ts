import { linkSync, mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive, markOf, type ProcessMark, readMark } from './process-mark.ts';

// A lock is a file that names its holder. It is put in place by link(2), which is atomic and fails when the
// name exists; so the file is never seen half written, and a holder that was killed is recognised as dead.

export type Lock = { release(): void };
export type Held = { heldBy: ProcessMark };

let counter = 0;
const aside = (file: string): string => `${file}.${process.pid}.${++counter}`;

/** Takes the lock, or says at once who has it. */
export const tryLock = (file: string): Lock | Held => {
  mkdirSync(path.dirname(file), { recursive: true });
  const mine = aside(file);
  writeFileSync(mine, JSON.stringify(markOf(process.pid)), { mode: 0o644 });
  try {
    for (;;) {
      try {
        linkSync(mine, file);
        return { release: () => rmSync(file, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readMark(file);
      if (holder && isAlive(holder)) return { heldBy: holder };
      removeDead(file);
    }
  } finally {
    rmSync(mine, { force: true });
  }
};

/** Two may find the same dead holder: whoever moves the file looks again at what it moved, and gives a live one back. */
const removeDead = (file: string): void => {
  const moved = aside(file);
  try {
    renameSync(file, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const holder = readMark(moved);
  if (holder && isAlive(holder)) {
    try {
      linkSync(moved, file);
    } catch {
      // Somebody took the place meanwhile; the next look says who.
    }
  }
  unlinkSync(moved);
};

/** Waits for its turn; ends when the signal does. */
export const lock = async (file: string, signal?: AbortSignal): Promise<Lock> => {
  for (;;) {
    const taken = tryLock(file);
    if ('release' in taken) return taken;
    await pause(50, undefined, { signal });
  }
};
