// The shop's gateway as a process.
import { createLog } from '@orderstream/runtime/log';
import { openGateway } from './shop/gateway.ts';
import { gatewaySettings } from './shop/settings.ts';
import { runGateway } from './workers/process.ts';

await runGateway(() => {
  const settings = gatewaySettings(process.env);
  const { listen, telemetry } = settings.configuration;
  return {
    workers: listen.workers,
    log: createLog('gateway', telemetry.logLevel),
    open: (siblings) => openGateway(process.env, { siblings }),
  };
});
