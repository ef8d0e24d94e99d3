// All that is done to a gateway under siege, each with a look at what comes of it.
import { partnerKey, words } from './bookshop.ts';
import { asked, type Input } from './input.ts';
import { inputsIn } from './inputs.ts';
import { lines, unfinished } from './lines.ts';
import { say } from './raw-http.ts';
import { frame, init, openGreeted, openRaw, RefusedHandshake, subscribe } from './raw-socket.ts';
import { problemWith } from './verdict.ts';

export type Act = {
  readonly what: string;
  /** @returns what was wrong with the answer, or null */
  readonly run: (url: string, serial: number) => Promise<string | null>;
};

/** milliseconds in which everything has come to its end, one way or the other */
const patienceMs = 30_000;

const asAct = ({ number, what, pieces, expected }: Input): Act => ({
  what: `${number} ${what}`,
  run: async (url, serial) => problemWith(await say(url, pieces(serial), { patienceMs }), expected),
});

const agreedOn = { status: [400], codes: ['PERSISTED_QUERY_REQUIRED'] };
const partners: Input[] = (
  [
    ['a partner that asks by a text', { query: '{ books { title } }' }],
    ['a partner that asks for what is another’s', { id: 'bolt' }],
  ] as const
).map(([what, body]) => ({
  number: 38,
  what,
  pieces: () => asked({ body: JSON.stringify(body), headers: { 'x-api-key': partnerKey } }),
  expected: agreedOn,
}));

type Ends = {
  readonly what: string;
  readonly isGreeted?: boolean;
  readonly frames: () => readonly Buffer[];
  /** null: cut without a word */
  readonly codes: readonly (number | null)[];
  readonly isDeaf?: boolean;
};

const never = (ms: number): Promise<'never'> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms, 'never').unref();
  });

/** A socket that does what it should not, and is to be closed for it. One address has only so many, so some are refused. */
const socketAct = ({ what, isGreeted = true, frames, codes, isDeaf = false }: Ends): Act => ({
  what: `37 ${what}`,
  run: async (url) => {
    try {
      const one = await (isGreeted ? openGreeted(url) : openRaw(url));
      if (isDeaf) one.turnAway();
      one.write(...frames());
      const end = isDeaf ? null : await Promise.race([one.closed, never(patienceMs)]);
      one.destroy();
      if (end === null) return null;
      if (end === 'never') return 'the socket was never closed';
      return codes.includes(end.code) ? null : `closed with ${end.code}: ${end.reason}`;
    } catch (error) {
      return error instanceof RefusedHandshake && error.status === 429 ? null : String(error);
    }
  },
});

const times = (count: number, text: (at: number) => string): Buffer[] =>
  Array.from({ length: count }, (_, at) => frame(text(at)));

const ticks = 'subscription { ticks(from: 1) }';

const sockets: readonly Act[] = [
  { what: 'silence', isGreeted: false, frames: () => [], codes: [4408] },
  {
    what: 'a subscription without a greeting',
    isGreeted: false,
    frames: () => [frame(JSON.stringify(subscribe(ticks)))],
    codes: [4401],
  },
  {
    what: 'a thousand subscriptions',
    frames: () => times(1_000, (at) => JSON.stringify(subscribe(ticks, `${at}`))),
    codes: [4429],
  },
  { what: 'a frame of 100 MB', frames: () => [frame('x', { length: 100_000_000 })], codes: [1009] },
  { what: 'a frame without a mask', frames: () => [frame('{}', { isMasked: false })], codes: [1002] },
  { what: 'text that is none', frames: () => [frame(Buffer.from([0xff]))], codes: [1007] },
  { what: 'a message that is none', frames: () => [frame('[')], codes: [4400] },
  {
    what: 'a flood of pings',
    frames: () => Array.from({ length: 1_000 }, () => frame('', { opcode: 9 })),
    codes: [4429, null],
  },
  { what: 'a flood of messages', frames: () => times(1_000, () => '{"type":"ping"}'), codes: [4429] },
  { what: 'a greeting twice', frames: () => [frame(JSON.stringify(init))], codes: [4429] },
  {
    what: 'megabytes of answers that nobody reads',
    isDeaf: true,
    frames: () => times(40, () => JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(60_000) } })),
    codes: [null],
  },
].map((one) => socketAct(one));

const lineActs: readonly Act[] = lines.map(({ what, pieces, status }) => ({
  what: `a line with ${what}`,
  run: async (url) => {
    const heard = await say(url, pieces, { patienceMs });
    const isOver = heard.status === status || (heard.status === null && heard.isClosed);
    return isOver ? null : `answered with ${heard.status} instead of ${status}`;
  },
}));

const unfinishedActs: readonly Act[] = unfinished.map((pieces) => ({
  what: 'a request that never ends',
  run: async (url) => {
    const { status } = await say(url, pieces, { patienceMs: 2_000 });
    return status === null || status === 408 ? null : `answered with ${status}`;
  },
}));

export const acts: readonly Act[] = [
  ...[...inputsIn(words), ...partners].map(asAct),
  ...sockets,
  ...lineActs,
  ...unfinishedActs,
];
