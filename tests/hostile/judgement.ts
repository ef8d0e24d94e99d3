// What an input was answered, and what it cost the gateway to say so.
import { expect } from 'vitest';
import type { Input } from './input.ts';
import type { MeteredGateway } from './metered-gateway.ts';
import { bytesOf, say } from './raw-http.ts';
import { problemWith } from './verdict.ts';

/** milliseconds of the event loop for one input */
export const mostMs = 20;
/** times that each is sent: the first ones are read by a program that has never seen their like */
const times = 6;

/** @returns milliseconds of the processor, of the best of several: it is the work that counts, not the machine's day */
export const costOf = async (
  gateway: MeteredGateway,
  ask: () => Promise<unknown>,
): Promise<{ readonly cpuMs: number; readonly delayMaxMs: number }> => {
  const costs: number[] = [];
  const delays: number[] = [];
  for (let time = 0; time < times; time++) {
    const before = await gateway.read();
    await ask();
    const after = await gateway.read();
    costs.push(after.cpuMs - before.cpuMs);
    delays.push(after.delayMaxMs);
  }
  return { cpuMs: Math.min(...costs), delayMaxMs: Math.min(...delays) };
};

let serial = 0;

/** Sends it, judges every answer, and sees that the next who asks properly is answered. */
export const judge = async (
  gateway: MeteredGateway,
  { pieces, expected }: Input,
  isWell: () => Promise<void>,
): Promise<void> => {
  const { cpuMs } = await costOf(gateway, async () => {
    serial += 1;
    expect(problemWith(await say(gateway.url, pieces(serial)), expected)).toBeNull();
  });
  await isWell();
  expect(gateway.isAlive(), gateway.said()).toBe(true);
  expect(cpuMs).toBeLessThan(mostMs);
};

/** Sees that a request of somebody who means well is answered. */
export const wellBy =
  ({ url }: MeteredGateway, query: string, data: unknown) =>
  async (): Promise<void> => {
    const { text } = await say(url, [bytesOf({ body: JSON.stringify({ query }) })]);
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))).toEqual({ data });
  };
