// A caller that listens to Ctrl-C itself stops things in its own order, and we keep out of its way. For one that does
// not, the default would end the process at once and leave the services running: so we stop them first.

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const stops = new Set<() => Promise<void>>();

const onSignal = (signal: NodeJS.Signals): void => {
  if (process.listenerCount(signal) > 1) return;
  void Promise.allSettled([...stops].map((stop) => stop())).then(() => {
    for (const one of signals) process.off(one, onSignal);
    // Once more, now with nobody listening: whoever waits for us learns how we ended.
    process.kill(process.pid, signal);
  });
};

/** Runs `stop` before a signal ends the process. Returns how to take that back. */
export const stopOnSignals = (stop: () => Promise<void>): (() => void) => {
  if (stops.size === 0) for (const signal of signals) process.on(signal, onSignal);
  stops.add(stop);
  return () => {
    // The listeners stay while a signal is being answered: the last stop must not let the second Ctrl-C cut it short.
    stops.delete(stop);
    if (stops.size === 0) setImmediate(() => stops.size === 0 && forget());
  };
};

const forget = (): void => {
  for (const signal of signals) process.off(signal, onSignal);
};
