// What processes use, as Linux counts it in /proc: proc(5). A process stands for its children, too: PostgreSQL has one for
// each session.
import { readdirSync, readFileSync } from 'node:fs';

/** milliseconds; the kernel tells hundredths of a second to everybody */
const tickMs = 10;
const pageBytes = 4_096;

export type Stat = {
  readonly pid: number;
  readonly parent: number;
  /** in user and kernel mode, with that of children that have ended and were waited for */
  readonly cpuMs: number;
};

/** `/proc/<pid>/stat` */
export const readStat = (text: string): Stat => {
  // The name in brackets may hold blanks and brackets; the fields after it are counted from the third.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    pid: Number.parseInt(text, 10),
    parent: field(4),
    cpuMs: (field(14) + field(15) + field(16) + field(17)) * tickMs,
  };
};

/** `/proc/<pid>/statm`, in bytes: what is resident, and how much of it others may have, too */
export const readMemory = (text: string): { readonly resident: number; readonly shared: number } => {
  const [, resident, shared] = text.split(' ').map(Number);
  return { resident: resident! * pageBytes, shared: shared! * pageBytes };
};

/** The process and all that come from it, but for those that are looked at by themselves, and what comes from them. */
export const familyOf = (pid: number, stats: readonly Stat[], others: ReadonlySet<number>): Stat[] => {
  const children = Map.groupBy(stats, ({ parent }) => parent);
  const from = (stat: Stat): Stat[] => [
    stat,
    ...(children.get(stat.pid) ?? []).filter((child) => !others.has(child.pid)).flatMap(from),
  ];
  return stats.filter((stat) => stat.pid === pid).flatMap(from);
};

export type Usage = {
  /** milliseconds since it began */
  readonly cpuMs: number;
  /** bytes; what several share is counted once, as the largest share */
  readonly memory: number;
};

/** null for a process that ends while it is looked at */
const readOf = (pid: number | string, file: 'stat' | 'statm'): string | null => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
};

export const usageOf = (pids: Readonly<Record<string, number>>): Record<string, Usage> => {
  const named = new Set(Object.values(pids));
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const text = readOf(pid, 'stat');
      return text ? [readStat(text)] : [];
    });
  return Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => {
      const family = familyOf(pid, stats, named);
      const parts = family.flatMap((member) => {
        const text = readOf(member.pid, 'statm');
        return text ? [readMemory(text)] : [];
      });
      const own = parts.reduce((sum, { resident, shared }) => sum + resident - shared, 0);
      return [
        name,
        {
          cpuMs: family.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
          memory: own + Math.max(0, ...parts.map(({ shared }) => shared)),
        },
      ];
    }),
  );
};
