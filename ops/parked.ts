// `npm run ops -- parked …`: what could not be handled, and what to do with it. A key that is parked keeps all its later
// messages waiting, so it is replayed or discarded as a whole, in the order in which the broker had it.
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { openBus } from '@orderstream/runtime/bus';
import { databaseUrlOf, platformSettings, readSettings } from '@orderstream/runtime/config';
import { type Database, openDatabase } from '@orderstream/runtime/database';
import { createLog } from '@orderstream/runtime/log';
import { discard, list, type ParkedKey, replay, show } from './parked-messages.ts';
import { runningEnvironment } from './stack/running.ts';

const usage = `npm run ops -- parked list    --subgraph NAME
npm run ops -- parked show    --subgraph NAME --topic TOPIC --key KEY
npm run ops -- parked replay  --subgraph NAME --topic TOPIC --key KEY
npm run ops -- parked discard --subgraph NAME --topic TOPIC --key KEY`;

const stop = (text: string): never => {
  console.error(text);
  process.exit(2);
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { subgraph: { type: 'string' }, topic: { type: 'string' }, key: { type: 'string' } },
});
const [area, action = ''] = positionals;
const { subgraph, topic, key } = values;
if (area !== 'parked' || !subgraph) stop(usage);

const env = runningEnvironment();
const settings = readSettings(env, platformSettings);
const actor = userInfo().username;

const one = (): ParkedKey => (topic && key ? { topic, key } : stop(usage));

const actions: Record<string, (database: Database) => Promise<unknown>> = {
  list: async (database) => console.table(await list(database)),
  show: async (database) => {
    for (const message of await show(database, one(), actor)) console.log(JSON.stringify(message, null, 2));
  },
  replay: async (database) => {
    const log = createLog('ops', 'error');
    const bus = await openBus({
      brokers: settings.KAFKA_BROKERS,
      prefix: settings.KAFKA_PREFIX,
      clientId: 'ops',
      log,
    });
    try {
      console.log(`${await replay(database, bus, one(), actor)} messages published again.`);
    } finally {
      await bus.close();
    }
  },
  discard: async (database) => console.log(`${await discard(database, one(), actor)} messages discarded.`),
};

const run = actions[action] ?? stop(usage);
const database = openDatabase({
  url: databaseUrlOf(env, settings.DATABASE_URL, subgraph ?? ''),
  applicationName: 'ops',
});
try {
  await run(database);
} catch (error) {
  console.error(`${(error as Error).message}\nIs the stack running? npm start`);
  process.exitCode = 1;
} finally {
  await database.close();
}
