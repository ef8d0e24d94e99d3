import { type Settings, startSimulator } from './simulator.ts';

const { env } = process;

const stopWith = (message: string): never => {
  console.error(`carrier simulator: ${message}`);
  process.exit(1);
};

const needed = (name: string): string => env[name] || stopWith(`set ${name}`);

const numberOf = (name: string, usual: number, least = 0): number => {
  const value = Number(env[name] || usual);
  return Number.isInteger(value) && value >= least
    ? value
    : stopWith(`${name} must be a whole number from ${least}`);
};

const settings: Settings = {
  host: env.HOST || '127.0.0.1',
  port: numberOf('PORT', 0),
  dataFile: needed('DATA_FILE'),
  durable: env.DURABLE !== '0',
  apiKey: needed('CARRIER_API_KEY'),
  controlToken: env.CONTROL_TOKEN || null,
  dayMs: numberOf('DAY_MS', 4000, 1),
  webhook: env.WEBHOOK_URL
    ? {
        url: env.WEBHOOK_URL,
        // The shop may accept several while one replaces another; the carrier signs with the first.
        secret: needed('CARRIER_WEBHOOK_SECRET').split(',')[0]?.trim() ?? '',
        timeoutMs: numberOf('WEBHOOK_TIMEOUT_MS', 5000, 1),
        retryMs: numberOf('WEBHOOK_RETRY_MS', 500),
      }
    : null,
};

const simulator = await startSimulator(settings).catch((error: Error) => stopWith(error.message));
console.log(`carrier simulator listening on ${simulator.url}`);

const stop = () => void simulator.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
