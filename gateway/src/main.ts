// The gateway as a process.
import { ConfigError } from '@orderstream/runtime/config';
import { openGateway } from './shop/gateway.ts';

try {
  const gateway = await openGateway(process.env);
  console.log(JSON.stringify({ url: gateway.url }));
  const stop = async () => {
    // Whatever hangs is left behind after fifteen seconds; nothing is lost by it.
    setTimeout(() => process.exit(1), 15_000).unref();
    await gateway.stop();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exit(2);
}
