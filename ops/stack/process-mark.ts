import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A process, told apart from a later one that got the same number: after a crash the number in an old pid file
 * may belong to a stranger, who must not be stopped for it.
 */
export type ProcessMark = { readonly pid: number; readonly startedAt: string };

/** When the process started, in the system's own words; null when there is none, or only its zombie. */
const startOf = (pid: number): string | null => {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The program's name stands in brackets and may itself hold spaces and brackets.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
    } catch {
      return null;
    }
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
};

export const markOf = (pid: number): ProcessMark | null => {
  const startedAt = startOf(pid);
  return startedAt === null ? null : { pid, startedAt };
};

export const isAlive = (mark: ProcessMark): boolean => startOf(mark.pid) === mark.startedAt;

/** Reads a mark that an earlier run wrote; null when the file is absent or was cut short by a crash. */
export const readMark = (file: string): ProcessMark | null => {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessMark>;
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : null;
  } catch {
    return null;
  }
};

/** The command line of a process; empty when there is none or it is not ours to see. */
export const commandOf = (pid: number): string => {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
};
