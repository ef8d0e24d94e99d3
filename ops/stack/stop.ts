// `npm run stop`: ends what `npm start` started from this folder, from another terminal.
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isAlive, readMark } from './process-mark.ts';
import { root } from './product.ts';

const { values } = parseArgs({
  options: { dir: { type: 'string', default: process.env.ORDERSTREAM_DATA ?? '.data' } },
});
const mark = readMark(resolve(root, values.dir, 'lock'));

if (!mark || !isAlive(mark)) console.log('Nothing runs here.');
else {
  process.kill(mark.pid, 'SIGTERM');
  const until = Date.now() + 30_000;
  while (isAlive(mark) && Date.now() < until) await pause(100);
  console.log(isAlive(mark) ? `Process ${mark.pid} is still stopping.` : 'Stopped.');
  if (isAlive(mark)) process.exitCode = 1;
}
