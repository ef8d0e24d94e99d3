// What an input was answered, and what it cost the gateway to say so.
import { expect } from 'vitest';
import type { Expected, Input } from './input.ts';
import type { MeteredGateway } from './metered-gateway.ts';
import { bytesOf, type Heard, say } from './raw-http.ts';

/** milliseconds of the event loop for one input */
export const mostMs = 20;
/** times that each is sent: the first ones are read by a program that has never seen their like */
const times = 6;

export const codesIn = ({ text }: Heard): string[] => [
  ...new Set([...text.matchAll(/"code":"(\w+)"/g)].map(([, code]) => code!)),
];

/** Whatever was sent: an answer that names no file of ours, no place of a fault and nothing that only we know. */
export const expectTold = (heard: Heard, { status, codes }: Expected): void => {
  expect(status, heard.text.slice(0, 600)).toContain(heard.status);
  expect(
    codesIn(heard).filter((code) => !codes.includes(code)),
    heard.text.slice(-600),
  ).toEqual([]);
  if (heard.status! >= 400) expect(codesIn(heard)).not.toEqual([]);
  expect(heard.text).not.toMatch(/node_modules|\.[tj]s:\d+|\bat \w+ \(|"stack|Did you mean|INTERNAL/);
};

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
    expectTold(await say(gateway.url, pieces(serial)), expected);
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
