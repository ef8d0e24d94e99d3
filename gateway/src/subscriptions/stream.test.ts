// What reaches the members of a stream and in which order, decided by the test: when the subgraph tells something, and
// when the other subgraphs have completed it.
import { createLog } from '@orderstream/runtime/log';
import { expect, test } from 'vitest';
import type { Operation, Outcome } from '../execute/operation.ts';
import type { EventListener, Upstream } from '../transport/upstream.ts';
import { Echo } from './echo.ts';
import type { Live } from './preparation.ts';
import type { Ending, Member } from './stream.ts';
import { createStreams } from './streams.ts';

const openBench = (isRefusing = false) => {
  const listeners: EventListener[] = [];
  const left: number[] = [];
  const underWay = new Map<string, Outcome>();
  const upstream: Upstream<string> = {
    subscribe: (_body, _asking, listener) => {
      const place = listeners.push(listener) - 1;
      if (isRefusing) listener.refused([{ message: 'no' }]);
      return () => left.push(place);
    },
    state: () => ({ sockets: 0, subscriptions: 0 }),
    close: () => undefined,
  };
  const operation: Operation<string> = {
    kind: 'subscription',
    run: () => undefined,
    source: { subgraph: 'orders', body: () => '{}' },
    event: (text, _variables, asking, outcome) => {
      if (text === 'broken') throw new TypeError('this cannot be run');
      underWay.set(`${text} for ${asking}`, outcome);
    },
    weight: 0,
    describe: () => '',
  };
  const live = (isState: boolean): Live<string> => ({
    request: { query: '' },
    operation,
    variables: {},
    key: 'key',
    read: (text) => {
      const [thing = '', version] = text.split(' ');
      return { thing, version: version === undefined ? null : Number(version) };
    },
    isState,
    since: null,
  });
  const streams = createStreams<string>({
    upstreams: new Map([['orders', upstream]]),
    shareKeyOf: () => 'all',
    renew: (asking) => `${asking}*`,
    most: 10,
    log: createLog('stream', 'silent'),
    lookMs: 20,
  });
  const join = (asking: string, isState = false) => {
    const told: string[] = [];
    const endings: Ending[] = [];
    const member: Member<string> = {
      asking,
      told: ({ json }) => told.push(String(json)),
      ended: (ending) => endings.push(ending),
    };
    return { told, endings, leave: streams.join(live(isState), member) };
  };
  const answer = (text: string, asking = 'ada') => {
    const key = `${text} for ${asking}*`;
    underWay.get(key)!.done(text, false);
    underWay.delete(key);
  };
  return { listeners, left, underWay, streams, join, answer };
};

test('answers leave in the order in which events came, whichever is complete first', () => {
  const { listeners, join, answer } = openBench();
  const { told } = join('ada');
  for (const text of ['a', 'b', 'c']) listeners[0]!.next(text);
  answer('c');
  answer('b');
  expect(told).toEqual([]);
  answer('a');
  expect(told).toEqual(['a', 'b', 'c']);
});

test('while others complete what came, only the newest of each thing waits for its turn', () => {
  const { listeners, underWay, join, answer } = openBench();
  const { told } = join('ada');
  for (let version = 1; version <= 30; version++) listeners[0]!.next(`o1 ${version}`);
  expect(underWay.size).toBe(16);
  for (let version = 1; version <= 16; version++) answer(`o1 ${version}`);
  answer('o1 30');
  expect(told).toEqual([...Array.from({ length: 16 }, (_, index) => `o1 ${index + 1}`), 'o1 30']);
});

test('an event that cannot be run is lost alone', () => {
  const { listeners, join, answer } = openBench();
  const { told, endings } = join('ada');
  for (const text of ['a', 'broken', 'b']) listeners[0]!.next(text);
  answer('a');
  answer('b');
  expect([told, endings]).toEqual([['a', 'b'], []]);
});

test('the end comes after all that came before it', () => {
  const { listeners, left, join, answer } = openBench();
  const { told, endings } = join('ada');
  listeners[0]!.next('a');
  listeners[0]!.complete();
  expect(endings).toEqual([]);
  answer('a');
  expect([told, endings, left]).toEqual([['a'], [{ kind: 'complete' }], [0]]);
});

test('a subgraph that refuses at once leaves nothing behind', () => {
  const { streams, join } = openBench(true);
  const { endings } = join('ada');
  expect(endings).toEqual([{ kind: 'refused', errors: [{ message: 'no' }] }]);
  expect(streams.state()).toEqual({ upstreams: 0, members: 0 });
});

test('when whoever came first has left, events are asked about for somebody who is there', () => {
  const { listeners, underWay, left, join } = openBench();
  const first = join('ada');
  const second = join('bob');
  first.leave();
  listeners[0]!.next('a');
  expect([...underWay.keys()]).toEqual(['a for bob*']);
  second.leave();
  expect(left).toEqual([0]);
});

test('an answer that comes when all have left goes nowhere', () => {
  const { listeners, streams, join, answer } = openBench();
  const { told, leave } = join('ada');
  listeners[0]!.next('a');
  leave();
  answer('a');
  expect([told, streams.state().upstreams]).toEqual([[], 0]);
});

test('when the shared subscription ends during a look, the late comer goes on with its own', async () => {
  const { listeners, join, answer } = openBench();
  const early = join('ada');
  listeners[0]!.next('a');
  answer('a');
  const late = join('bob');
  listeners[0]!.complete();
  expect([early.endings, late.endings]).toEqual([[{ kind: 'complete' }], []]);
  await new Promise((resolve) => setTimeout(resolve, 60));
  listeners[1]!.next('b');
  answer('b', 'bob');
  expect(late.told).toEqual(['b']);
});

test('what a late comer is not told by its own look in time comes from the shared subscription', async () => {
  const { listeners, left, streams, join, answer } = openBench();
  const early = join('ada');
  listeners[0]!.next('a');
  answer('a');
  const late = join('bob');
  expect(streams.state()).toEqual({ upstreams: 2, members: 3 });
  listeners[0]!.next('b');
  answer('b');
  listeners[1]!.next('b');
  answer('b', 'bob');
  listeners[0]!.next('c');
  answer('c');
  await new Promise((resolve) => setTimeout(resolve, 100));
  listeners[0]!.next('d');
  answer('d');
  expect([early.told, late.told]).toEqual([
    ['a', 'b', 'c', 'd'],
    ['b', 'c', 'd'],
  ]);
  expect([left, streams.state()]).toEqual([[1], { upstreams: 1, members: 2 }]);
});

test('who leaves during a look leaves nothing behind', () => {
  const { listeners, left, streams, join, answer } = openBench();
  const early = join('ada');
  listeners[0]!.next('a');
  answer('a');
  const late = join('bob');
  late.leave();
  expect(left).toEqual([1]);
  early.leave();
  expect([left, streams.state()]).toEqual([[1, 0], { upstreams: 0, members: 0 }]);
});

test('an event of a thing without versions is an echo only after a break, and only where nothing else was said', () => {
  const echo = new Echo();
  const heard = (thing: string | null, text: string, now: number, version: number | null = null) =>
    echo.isHeard({ thing, version }, text, now);
  expect([heard('p1', 'sent', 0), heard('p1', 'sent', 1), heard(null, 'x', 2)]).toEqual([
    false,
    false,
    false,
  ]);
  echo.again(10);
  expect([heard('p1', 'sent', 11), heard('p1', 'lost', 12), heard('p2', 'sent', 13)]).toEqual([
    true,
    false,
    false,
  ]);
  expect([heard(null, 'x', 14), heard('o1', 'x', 15, 1), heard('o1', 'x', 16, 1)]).toEqual([
    false,
    false,
    false,
  ]);
  expect(heard('p1', 'lost', 5_011)).toBe(false);
});
