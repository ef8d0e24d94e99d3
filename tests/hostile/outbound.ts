// Loaded into a process before its program: whomever it, or a process that it forks, tries to reach is written down, a line
// each, in the file that REACHED names.
import childProcess from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';

const file = process.env.REACHED!;
const note = (whom: string): void => appendFileSync(file, `${whom}\n`);

const { connect } = Socket.prototype;
Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
  // Told of each attempt by the socket itself, however it was opened.
  this.on('connectionAttempt', (ip: string, port: number) => note(`${ip}:${port}`));
  return Reflect.apply(connect, this, given) as Socket;
} as typeof connect;

type Named = Record<string, unknown>;

/** Whatever is asked about a name is asked of somebody outside. */
const listenAt = (functions: Named): void => {
  for (const [name, original] of Object.entries(functions)) {
    if (typeof original !== 'function' || !/^(lookup|resolve|reverse)/.test(name)) continue;
    functions[name] = (...given: unknown[]): unknown => {
      // An address is looked up as well, and needs nobody.
      if (!/^[\d.]+$|:/.test(String(given[0]))) note(`name ${String(given[0])}`);
      return Reflect.apply(original, functions, given);
    };
  }
};
listenAt(dns as unknown as Named);
listenAt(dns.promises as unknown as Named);

const { createSocket } = dgram;
dgram.createSocket = ((...given: Parameters<typeof createSocket>) => {
  note('a datagram');
  return createSocket(...given);
}) as typeof createSocket;

type Forked = { readonly execArgv?: string[]; readonly env?: NodeJS.ProcessEnv };
const { fork } = childProcess;
childProcess.fork = ((program: string, args: string[], options: Forked = {}) =>
  fork(program, args, {
    ...options,
    execArgv: [...(options.execArgv ?? []), '--import', import.meta.url],
    env: { ...(options.env ?? process.env), REACHED: file },
  })) as typeof fork;

const { spawn } = childProcess;
childProcess.spawn = ((command: string, ...rest: unknown[]) => {
  note(`program ${command}`);
  return Reflect.apply(spawn, childProcess, [command, ...rest]) as ReturnType<typeof spawn>;
}) as typeof spawn;

syncBuiltinESMExports();
note('listening');
