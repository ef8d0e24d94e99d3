// Where the pieces of an answer wait for one another as bytes: joined as strings they would all be garbage a moment later.

/** bytes; longer answers are joined as strings */
export const roomSize = 256 * 1024;
/** Rooms that are kept; of each only the part that was ever filled takes memory. */
const mostKept = 8;

const kept: Buffer[] = [];

export const takeRoom = (): Buffer => kept.pop() ?? Buffer.allocUnsafeSlow(roomSize);

/** Nothing is read from it any more. */
export const giveRoomBack = (room: Buffer): void => {
  if (kept.length < mostKept) kept.push(room);
};
