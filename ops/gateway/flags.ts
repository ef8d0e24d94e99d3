// What Node is started with where it runs the gateway.

/**
 * Half the room for young objects that it would take by itself, which does for requests and saves memory; and objects
 * are young wherever they are made: once in a while V8 takes what waits for a subgraph for something that stays, and
 * then the old generation fills with answered requests (300 MiB instead of 180, and a tenth more work).
 */
export const gatewayFlags = ['--max-semi-space-size=8', '--no-allocation-site-pretenuring'] as const;
