import type { RequestError } from '@orderstream/runtime/errors';
import { expect, test, vi } from 'vitest';
import { CallFailure } from './failure.ts';
import { type CallCounts, withSharing } from './share.ts';
import type { Receiver, Transport } from './transport.ts';

type Asking = { readonly scope: string | null };

const anybody: Asking = { scope: 'anybody' };

const wire = () => {
  const sent: { readonly body: string; readonly receiver: Receiver }[] = [];
  const inner: Transport<Asking> = {
    send: (body, _isQuery, _asking, receiver) => {
      sent.push({ body, receiver });
    },
    close: async () => {},
  };
  const counts: CallCounts = { asked: 0, joined: 0 };
  return { sent, counts, shared: withSharing(inner, { scopeOf: ({ scope }) => scope, counts }) };
};

const ask = (
  transport: Transport<Asking>,
  body: string,
  asking: Asking = anybody,
  isQuery = true,
): Promise<string> =>
  new Promise((resolve, reject) => {
    transport.send(body, isQuery, asking, { answered: resolve, failed: reject });
  });

test('what three ask at one moment is asked once, and all three hear the answer', async () => {
  const { sent, counts, shared } = wire();
  const asked = [ask(shared, 'q'), ask(shared, 'q'), ask(shared, 'q')];
  expect(sent).toHaveLength(1);
  sent[0]!.receiver.answered('a');
  expect(await Promise.all(asked)).toEqual(['a', 'a', 'a']);
  expect(counts).toEqual({ asked: 3, joined: 2 });
});

test('what is asked after the answer is asked again', async () => {
  const { sent, shared } = wire();
  const again: Promise<string>[] = [];
  const first = new Promise<string>((resolve, reject) => {
    shared.send('q', true, anybody, {
      answered: (body) => {
        again.push(ask(shared, 'q'));
        resolve(body);
      },
      failed: reject,
    });
  });
  sent[0]!.receiver.answered('old');
  await first;
  sent[1]!.receiver.answered('new');
  expect(await again[0]).toBe('new');
});

test('nobody hears an answer of another scope', async () => {
  const { sent, shared } = wire();
  const asked = ['ada', 'bob'].map((scope) => ask(shared, 'q', { scope }));
  expect(sent).toHaveLength(2);
  sent[1]!.receiver.answered('for bob');
  sent[0]!.receiver.answered('for ada');
  expect(await Promise.all(asked)).toEqual(['for ada', 'for bob']);
});

test('without a scope nothing is shared, and mutations never are', () => {
  const { sent, shared } = wire();
  for (let at = 0; at < 2; at += 1) {
    ask(shared, 'q', { scope: null });
    ask(shared, 'm', anybody, false);
  }
  expect(sent).toHaveLength(4);
});

test('a failure reaches all', async () => {
  const { sent, shared } = wire();
  const asked = [ask(shared, 'q'), ask(shared, 'q')];
  sent[0]!.receiver.failed(new CallFailure('connection', 'gone'));
  const failures = await Promise.all(asked.map((answer) => answer.catch((error: RequestError) => error)));
  expect(failures.map((failure) => (failure as CallFailure).reason)).toEqual(['connection', 'connection']);
});

test('nobody joins a call that has been out for long', async () => {
  const clock = vi.spyOn(performance, 'now');
  const { sent, shared } = wire();
  clock.mockReturnValue(1_000);
  const first = ask(shared, 'q');
  clock.mockReturnValue(1_600);
  const second = ask(shared, 'q');
  expect(sent).toHaveLength(2);
  sent[0]!.receiver.answered('first');
  const third = ask(shared, 'q');
  clock.mockRestore();
  sent[1]!.receiver.answered('second');
  expect(await Promise.all([first, second])).toEqual(['first', 'second']);
  expect(sent).toHaveLength(2);
  expect(await third).toBe('second');
});

test('thousands of scopes come and go, and still nobody is forgotten', async () => {
  const { sent, shared } = wire();
  const asked = Array.from({ length: 3_000 }, (_, at) => ask(shared, 'q', { scope: `${at}` }));
  const joined = ask(shared, 'q', { scope: '5' });
  expect(sent).toHaveLength(3_000);
  sent.forEach(({ receiver }, at) => {
    receiver.answered(`for ${at}`);
  });
  expect(await Promise.all(asked)).toEqual(asked.map((_, at) => `for ${at}`));
  expect(await joined).toBe('for 5');
});
