// What processes cost, as Linux counts it.
import { readFileSync } from 'node:fs';

/** milliseconds; the kernel counts in hundredths of a second */
const tick = 10;

/** CPU milliseconds that a process has used so far, in user and in kernel mode; proc(5), fields 14 and 15 of stat. */
export const cpuMs = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may hold blanks; the fields after it are counted from the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) * tick;
};
