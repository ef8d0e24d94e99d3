// Answers made shorter for clients that ask for it. Quickly rather than as short as can be: what is saved is the way to
// the client, what is spent is the gateway's time. Small ones at once, since a thread costs more than they do.
import {
  type BrotliOptions,
  brotliCompress,
  brotliCompressSync,
  constants,
  gzip,
  gzipSync,
  type ZlibOptions,
} from 'node:zlib';
import { type Coding, codingFor } from './coding.ts';

export type CompressionSettings = {
  readonly enabled: boolean;
  /** bytes; shorter answers go as they are */
  readonly atLeast: number;
};

export type Packed = {
  readonly body: Buffer;
  /** null: as it was */
  readonly coding: Coding | null;
};

export type Compression = {
  /** How an answer of so many bytes goes to a client that accepts this. */
  readonly codingFor: (accepted: string | undefined, size: number) => Coding | null;
  /**
   * Told once, at once where it takes less time than a thread; as it was where it could not be made shorter. The same bytes
   * for several clients are packed once, and nobody changes them.
   */
  readonly pack: (body: Buffer, coding: Coding, told: (packed: Packed) => void) => void;
};

/** bytes that take some 50 us here */
const atOnce = 8 * 1024;
/** Answers that are packed at a time; the threads for it also look up names and read files. */
const mostAtOnce = 32;

const zip: ZlibOptions = { level: 1 };
const brotli = (size: number): BrotliOptions => ({
  params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: size },
});

const packSync = (body: Buffer, coding: Coding): Buffer =>
  coding === 'br' ? brotliCompressSync(body, brotli(body.length)) : gzipSync(body, zip);

const packLater = (
  body: Buffer,
  coding: Coding,
  told: (error: Error | null, packed: Buffer) => void,
): void => {
  if (coding === 'br') brotliCompress(body, brotli(body.length), told);
  else gzip(body, zip, told);
};

/** What is made of the same bytes, and who waits for it. */
type Packing = { packed: Packed | null; readonly waiting: ((packed: Packed) => void)[] };

export const createCompression = ({ enabled, atLeast }: CompressionSettings): Compression => {
  let underWay = 0;
  const alike = new WeakMap<Buffer, Map<Coding, Packing>>();

  const asShort = (body: Buffer, packed: Buffer, coding: Coding): Packed =>
    packed.length < body.length ? { body: packed, coding } : { body, coding: null };

  return {
    codingFor: (accepted, size) =>
      enabled && accepted !== undefined && size >= atLeast && underWay < mostAtOnce
        ? codingFor(accepted)
        : null,
    pack: (body, coding, told) => {
      if (body.length <= atOnce) {
        told(asShort(body, packSync(body, coding), coding));
        return;
      }
      const packings = alike.get(body) ?? new Map<Coding, Packing>();
      const before = packings.get(coding);
      if (before?.packed) told(before.packed);
      else before?.waiting.push(told);
      if (before) return;
      const packing: Packing = { packed: null, waiting: [told] };
      packings.set(coding, packing);
      alike.set(body, packings);
      underWay += 1;
      packLater(body, coding, (error, shorter) => {
        underWay -= 1;
        const packed = error ? { body, coding: null } : asShort(body, shorter, coding);
        packing.packed = packed;
        for (const one of packing.waiting.splice(0)) one(packed);
      });
    },
  };
};
