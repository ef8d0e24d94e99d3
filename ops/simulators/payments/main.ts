import { type Settings, startSimulator } from './simulator.ts';

const { env } = process;

const stopWith = (message: string): never => {
  console.error(`payments simulator: ${message}`);
  process.exit(1);
};

const needed = (name: string): string => env[name] || stopWith(`set ${name}`);

const numberOf = (name: string, usual: number): number => {
  const value = Number(env[name] ?? usual);
  return Number.isInteger(value) && value >= 0 ? value : stopWith(`${name} must be a whole number`);
};

const settings: Settings = {
  host: env.HOST ?? '127.0.0.1',
  port: numberOf('PORT', 0),
  dataFile: needed('DATA_FILE'),
  durable: env.DURABLE !== '0',
  apiKey: needed('STRIPE_API_KEY'),
  controlToken: env.CONTROL_TOKEN || null,
  webhook: env.WEBHOOK_URL
    ? {
        url: env.WEBHOOK_URL,
        secret: needed('WEBHOOK_SECRET'),
        timeoutMs: numberOf('WEBHOOK_TIMEOUT_MS', 10_000),
        retryMs: numberOf('WEBHOOK_RETRY_MS', 500),
        events: env.WEBHOOK_EVENTS ? new Set(env.WEBHOOK_EVENTS.split(',')) : null,
      }
    : null,
};

if (/^[rs]k_live_/.test(settings.apiKey)) stopWith('a live key has no business here');

const simulator = await startSimulator(settings).catch((error: Error) => stopWith(error.message));
console.log(`payments simulator listening on ${simulator.url}`);

const stop = () => void simulator.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
