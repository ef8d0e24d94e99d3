// The whole product for the journeys: simulator, subgraphs and gateway as processes of their own, and the demo shop in
// databases of this run. Nothing is started for a run without journeys.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { removeData } from '../ops/stack/place.ts';
import { startProduct } from '../ops/stack/product.ts';

export type ProductAddress = {
  readonly gatewayUrl: string;
  /** the host of all subgraphs, where the provider's webhooks arrive */
  readonly subgraphsUrl: string;
  /** the payment provider's */
  readonly simulatorUrl: string;
  readonly carrierUrl: string;
  /** database URL by subgraph */
  readonly databases: Readonly<Record<string, string>>;
  readonly secrets: {
    readonly gateway: string;
    readonly webhook: string;
    readonly carrierWebhook: string;
    readonly control: string;
    /** private JWK of access tokens */
    readonly accessTokenKey: string;
    /** of the three accounts to try */
    readonly password: string;
  };
  /** where the processes write their logs */
  readonly logs: string;
};

declare module 'vitest' {
  export interface ProvidedContext {
    product: ProductAddress;
  }
}

export const setup = async (project: TestProject): Promise<(() => Promise<void>) | undefined> => {
  if (!project.vitest.state.getPaths().some((path) => path.includes('/tests/journeys/'))) return undefined;
  const dir = await mkdtemp(join(tmpdir(), 'orderstream-product-'));
  const { services } = project.getProvidedContext();
  const product = await startProduct({
    dir,
    services: { ...services, list: [], stop: async () => undefined },
    // A parcel takes two of the carrier's days.
    env: { ...process.env, PAYMENT_TIMEOUT_MS: '2000', CARRIER_DAY_MS: '1500' },
    port: null,
    split: false,
    durable: false,
    report: () => undefined,
  });
  const urlOf = (name: string): string => product.processes.find((process) => process.name === name)!.url;
  const { secrets } = product;
  project.provide('product', {
    gatewayUrl: product.gatewayUrl,
    subgraphsUrl: urlOf('subgraphs'),
    simulatorUrl: urlOf('payments-simulator'),
    carrierUrl: urlOf('carrier-simulator'),
    databases: product.databases,
    secrets: {
      gateway: secrets.GATEWAY_SECRET,
      webhook: secrets.STRIPE_WEBHOOK_SECRET.split(',')[0]!,
      carrierWebhook: secrets.CARRIER_WEBHOOK_SECRET.split(',')[0]!,
      control: secrets.CONTROL_TOKEN,
      accessTokenKey: secrets.ACCESS_TOKEN_KEY,
      password: secrets.DEMO_PASSWORD,
    },
    logs: join(dir, 'logs'),
  });
  return async () => {
    await product.stop();
    removeData(dir);
  };
};
