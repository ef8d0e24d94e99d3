import { setTimeout as pause } from 'node:timers/promises';
import type { RequestError } from '@orderstream/runtime/errors';
import { expect, test } from 'vitest';
import { CallFailure, type Reason } from './failure.ts';
import {
  type BreakerState,
  type ResilienceOptions,
  type Resilient,
  usualResilience,
  withResilience,
} from './resilience.ts';
import type { Receiver, Transport } from './transport.ts';

type Sent = { readonly body: string; readonly receiver: Receiver };

/** Answers by hand, or by a rule. */
const wire = (rule?: (body: string) => Reason | null) => {
  const sent: Sent[] = [];
  const transport: Transport<null> = {
    send: (body, _isQuery, _asking, receiver) => {
      sent.push({ body, receiver });
      if (!rule) return;
      const reason = rule(body);
      if (reason) receiver.failed(new CallFailure(reason, 'by rule'));
      else receiver.answered(body);
    },
    close: async () => {},
  };
  return { sent, transport };
};

const guard = (transport: Transport<null>, options: Partial<ResilienceOptions> = {}): Resilient<null> =>
  withResilience(transport, { name: 'catalog', ...usualResilience, ...options });

const ask = (transport: Transport<null>, body = 'q', isQuery = true): Promise<string> =>
  new Promise((resolve, reject) => {
    transport.send(body, isQuery, null, { answered: resolve, failed: reject });
  });

const reasonOf = (answer: Promise<string>): Promise<Reason | string> =>
  answer.then(
    (body) => `answered ${body}`,
    (failure: RequestError) => (failure as CallFailure).reason,
  );

test('a healthy call passes in the same turn, without a promise in its way', () => {
  const { transport } = wire(() => null);
  const answers: string[] = [];
  guard(transport).send('q', true, null, { answered: (body) => answers.push(body), failed: () => {} });
  expect(answers).toEqual(['q']);
});

test('so many calls at once, so many that wait, and no more', async () => {
  const { sent, transport } = wire();
  const guarded = guard(transport, { mostAtOnce: 2, mostWaiting: 2 });
  const asked = ['a', 'b', 'c', 'd', 'e'].map((body) => ask(guarded, body));
  expect(await reasonOf(asked[4]!)).toBe('crowded');
  expect(sent.map(({ body }) => body)).toEqual(['a', 'b']);
  expect(guarded.state()).toEqual({ breaker: 'closed', inFlight: 2, queued: 2 });
  for (let at = 0; at < 4; at += 1) sent[at]!.receiver.answered(sent[at]!.body);
  expect(await Promise.all(asked.slice(0, 4))).toEqual(['a', 'b', 'c', 'd']);
  expect(guarded.state()).toEqual({ breaker: 'closed', inFlight: 0, queued: 0 });
});

test('nobody waits for longer than is told', async () => {
  const { sent, transport } = wire();
  const guarded = guard(transport, { mostAtOnce: 1, longestWait: 50 });
  const first = ask(guarded, 'a');
  const waiting = ['b', 'c'].map((body) => reasonOf(ask(guarded, body)));
  expect(await Promise.all(waiting)).toEqual(['crowded', 'crowded']);
  sent[0]!.receiver.answered('a');
  expect(await first).toBe('a');
  expect(guarded.state()).toEqual({ breaker: 'closed', inFlight: 0, queued: 0 });
});

test('a query whose connection broke is repeated after a pause, a mutation never', async () => {
  const { sent, transport } = wire((body) => (body === 'twice' && sent.length < 2 ? 'connection' : null));
  const guarded = guard(transport);
  expect(await ask(guarded, 'twice')).toBe('twice');
  expect(sent).toHaveLength(2);
  const { sent: mutations, transport: other } = wire(() => 'connection');
  expect(await reasonOf(ask(guard(other), 'pay', false))).toBe('connection');
  expect(mutations).toHaveLength(1);
});

test.each(['late', 'status', 'refused', 'framing', 'size'] as const)(
  'a query that failed as %s is not repeated',
  async (reason) => {
    const { sent, transport } = wire(() => reason);
    expect(await reasonOf(ask(guard(transport)))).toBe(reason);
    expect(sent).toHaveLength(1);
  },
);

test('repeats stay within their share of the calls', async () => {
  const { sent, transport } = wire((body) => (body === 'bad' ? 'overloaded' : null));
  const guarded = guard(transport, { failuresInRow: 1e6, failureRatio: 0.99 });
  for (let round = 0; round < 50; round += 1) {
    const good = Array.from({ length: 10 }, () => ask(guarded, 'good'));
    const bad = Array.from({ length: 10 }, () => reasonOf(ask(guarded, 'bad')));
    await Promise.all([...good, ...bad]);
  }
  const repeated = sent.length - 1_000;
  // One for ten answers, and the ten that were saved up before.
  expect(repeated).toBeGreaterThan(50);
  expect(repeated).toBeLessThanOrEqual(60);
});

test('a subgraph that fails again and again is left alone, then tried once, and trusted again', async () => {
  let isUp = false;
  const states: BreakerState[] = [];
  const { sent, transport } = wire(() => (isUp ? null : 'status'));
  const guarded = guard(transport, {
    openMs: 300,
    failuresInRow: 3,
    onBreaker: (state) => states.push(state),
  });
  for (let at = 0; at < 3; at += 1) {
    expect(await reasonOf(ask(guarded))).toBe('status');
    await pause(30);
  }
  expect(guarded.state().breaker).toBe('open');
  for (let at = 0; at < 20; at += 1) expect(await reasonOf(ask(guarded))).toBe('broken');
  expect(sent).toHaveLength(3);
  await pause(350);
  // The probe fails, and the pause grows.
  expect(await reasonOf(ask(guarded))).toBe('status');
  await pause(1);
  expect(guarded.state().breaker).toBe('open');
  isUp = true;
  await pause(700);
  expect(await ask(guarded)).toBe('q');
  await pause(1);
  expect(guarded.state()).toEqual({ breaker: 'closed', inFlight: 0, queued: 0 });
  expect(await ask(guarded)).toBe('q');
  expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
});

test('a crowd of calls that fail at one moment does not open the breaker', async () => {
  const { transport } = wire((body) => (body === 'bad' ? 'status' : null));
  const guarded = guard(transport);
  for (let at = 0; at < 50; at += 1) await ask(guarded);
  await Promise.all(Array.from({ length: 30 }, () => reasonOf(ask(guarded, 'bad'))));
  expect(guarded.state().breaker).toBe('closed');
});

test('while one probe is out, others fail at once', async () => {
  const { sent, transport } = wire();
  const guarded = guard(transport, { openMs: 50, failuresInRow: 1, repeats: 0 });
  const first = reasonOf(ask(guarded));
  sent[0]!.receiver.failed(new CallFailure('status', 'down'));
  expect(await first).toBe('status');
  await pause(80);
  const probe = ask(guarded, 'probe');
  expect(guarded.state()).toEqual({ breaker: 'half-open', inFlight: 1, queued: 0 });
  expect(await Promise.all([reasonOf(ask(guarded)), reasonOf(ask(guarded))])).toEqual(['broken', 'broken']);
  sent[1]!.receiver.answered('up');
  expect(await probe).toBe('up');
});

test('half of the calls failing opens the breaker as well', async () => {
  let count = 0;
  const { transport } = wire(() => (count++ % 3 === 0 ? null : 'status'));
  const guarded = guard(transport, { openMs: 60_000 });
  for (let at = 0; at < 100 && guarded.state().breaker === 'closed'; at += 1) await reasonOf(ask(guarded));
  expect(guarded.state().breaker).toBe('open');
});

test('what is nobody’s outage does not open the breaker', async () => {
  const { transport } = wire((body) => body as Reason);
  const guarded = guard(transport);
  for (const reason of ['impatient', 'size', 'refused', 'mistake'])
    for (let at = 0; at < 20; at += 1) await reasonOf(ask(guarded, reason));
  expect(guarded.state().breaker).toBe('closed');
});

test('closing tells those who wait', async () => {
  const { transport } = wire();
  const guarded = guard(transport, { mostAtOnce: 1 });
  ask(guarded, 'a');
  const waiting = reasonOf(ask(guarded, 'b'));
  await guarded.close();
  expect(await waiting).toBe('closed');
});
