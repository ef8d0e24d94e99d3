import { expect, test } from 'vitest';
import { usualBounds } from './bounds.ts';
import { Outbox, type Recipient } from './outbox.ts';
import { Pace } from './pace.ts';
import { Payload } from './payload.ts';

/** A wire that takes nothing until it is told to. */
const openWire = () => {
  const sent: string[] = [];
  let unread = 0;
  return {
    sent,
    unread: () => unread,
    send: (message: Buffer) => {
      sent.push(String(message).slice(0, 8));
      unread += message.length;
    },
    take: () => {
      unread = 0;
    },
  };
};

const bounds = { ...usualBounds, unread: 1_000, waitingBytes: 2_000, waitingEvents: 3 };
const one: Recipient = { serial: 1, message: ({ json }) => json };
const other: Recipient = { serial: 2, message: ({ json }) => json };
const event = (key: string, text: string, size = 8) =>
  new Payload(key, { thing: null, version: null }, text.padEnd(size, '.'));

test('who takes what is sent gets everything as it comes', () => {
  const wire = openWire();
  const outbox = new Outbox(wire, bounds);
  for (let i = 0; i < 10; i++) outbox.put(one, event('a', `a${i}`));
  expect(wire.sent).toHaveLength(10);
});

test('who does not take it gets the newest of each thing when it does, in order, and the end last', () => {
  const wire = openWire();
  const outbox = new Outbox(wire, bounds);
  outbox.put(one, event('a', 'a0', 1_000));
  for (let i = 1; i < 5; i++) {
    outbox.put(one, event('a', `a${i}`, 600));
    outbox.put(one, event('b', `b${i}`, 600));
    outbox.put(other, event('a', `c${i}`, 600));
  }
  outbox.end(one, [Buffer.from('end')]);
  const taken: string[][] = [];
  for (let i = 0; i < 5; i++) {
    wire.take();
    taken.push(wire.sent.splice(0).map((text) => text.replace(/\.+$/, '')));
    outbox.flush();
  }
  expect(taken).toEqual([['a0'], ['a4'], ['b4'], ['c4', 'end'], []]);
});

test('what is larger than all that may be unread goes when nothing else is', () => {
  const wire = openWire();
  const outbox = new Outbox(wire, bounds);
  outbox.put(one, event('a', 'small'));
  outbox.put(one, event('b', 'large', 5_000));
  expect(wire.sent).toHaveLength(1);
  wire.take();
  outbox.flush();
  expect(wire.sent).toHaveLength(2);
});

test('what waits for a subscription that is over is not sent', () => {
  const wire = openWire();
  const outbox = new Outbox(wire, bounds);
  outbox.put(one, event('a', 'a0', 1_000));
  outbox.put(one, event('a', 'a1', 600));
  outbox.put(other, event('a', 'b1', 600));
  outbox.forget(one);
  wire.take();
  outbox.flush();
  expect(wire.sent.map((text) => text.slice(0, 2))).toEqual(['a0', 'b1']);
  expect(outbox.bytes).toBe(0);
});

test('an event is one line of an event stream, however its subgraph breaks lines', () => {
  const payload = event('a', '{"data":{"json":{\r\n "a": 1\n}}}');
  expect(String(payload.eventStream)).toBe('event: next\ndata: {"data":{"json":{  "a": 1 }}}\n\n');
});

test('a client that leaves a megabyte unread is borne for thirty seconds', () => {
  const pace = new Pace({ ...bounds, mostUnread: 1_000, patienceMs: 30_000 });
  const isBorne = (unread: number, now: number) => pace.isBorne(unread, now);
  expect([isBorne(2_000, 0), isBorne(2_000, 29_000), isBorne(0, 29_500)]).toEqual([true, true, true]);
  expect([isBorne(2_000, 40_000), isBorne(1_001, 69_999), isBorne(1_001, 70_000)]).toEqual([
    true,
    true,
    false,
  ]);
});

test('messages are counted in ten seconds, then anew', () => {
  const pace = new Pace({ ...bounds, messages: 2 });
  expect([0, 1, 9_999, 10_000, 10_001, 10_002].map((now) => pace.mayTalk(now))).toEqual([
    true,
    true,
    false,
    true,
    true,
    false,
  ]);
});
