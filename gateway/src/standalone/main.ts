#!/usr/bin/env -S node --max-semi-space-size=8 --no-allocation-site-pretenuring
// `orderstream-gateway --supergraph FILE [--port N] [--config FILE]`
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigError } from '@orderstream/runtime/config';
import { createLog } from '@orderstream/runtime/log';
import type { GatewayConfiguration } from '../configuration/configuration.ts';
import { readConfiguration } from '../configuration/reading.ts';
import { runGateway } from '../workers/process.ts';
import { openStandalone } from './standalone.ts';

const usage = `orderstream-gateway --supergraph FILE [options]
  --supergraph FILE  the supergraph's SDL, Federation 2; watched, unless the configuration says otherwise
  --port N           4000 otherwise
  --config FILE      YAML or JSON; every setting has a default
  --help`;

/** @throws ConfigError */
const settings = (): GatewayConfiguration | null => {
  let values: { supergraph?: string; port?: string; config?: string; help?: boolean };
  try {
    ({ values } = parseArgs({
      options: {
        supergraph: { type: 'string' },
        port: { type: 'string' },
        config: { type: 'string' },
        help: { type: 'boolean' },
      },
    }));
  } catch (error) {
    throw new ConfigError([`${(error as Error).message}\n\n${usage}`]);
  }
  if (values.help) return null;
  const { supergraph, port, config } = values;
  if (port !== undefined && !/^\d{1,5}$/.test(port))
    throw new ConfigError(['--port needs a port, 0 to 65535.']);
  let text = '';
  try {
    if (config !== undefined) text = readFileSync(config, 'utf8');
  } catch (error) {
    throw new ConfigError([`The configuration cannot be read: ${(error as Error).message}`]);
  }
  const read = readConfiguration(text, process.env, config);
  return {
    ...read,
    listen: { ...read.listen, ...(port !== undefined && { port: Number(port) }) },
    supergraph: { ...read.supergraph, ...(supergraph !== undefined && { file: supergraph }) },
  };
};

await runGateway(() => {
  const configuration = settings();
  if (!configuration) {
    console.log(usage);
    return null;
  }
  const log = createLog('gateway', configuration.telemetry.logLevel);
  return {
    workers: configuration.listen.workers,
    log,
    open: (siblings) => openStandalone(configuration, log, siblings),
  };
});
