// What waits for somebody slow: of each thing only the newest, so that whoever is slow skips versions and never falls
// behind.

type Waiting<T> = { readonly item: T; readonly bytes: number; readonly mayGo: boolean };

export class Newest<T> {
  readonly #waiting = new Map<string, Waiting<T>>();
  readonly #most: number;
  readonly #mostBytes: number;
  #bytes = 0;
  /** of those that may be dropped */
  #count = 0;

  /** @param mostBytes the newest item of all waits whatever its size */
  constructor(most: number, mostBytes: number) {
    this.#most = most;
    this.#mostBytes = mostBytes;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes the place of what waits under the same key, at the end. Past the bounds what has waited longest is dropped.
   * @param mayGo false for what may be neither dropped nor counted against others, such as an end
   */
  put(key: string, item: T, bytes: number, mayGo = true): void {
    this.drop(key);
    this.#waiting.set(key, { item, bytes, mayGo });
    this.#bytes += bytes;
    if (mayGo) this.#count += 1;
    for (const [other, one] of this.#waiting) {
      if (this.#count <= this.#most && this.#bytes <= this.#mostBytes) return;
      if (other !== key && one.mayGo) this.drop(other);
    }
  }

  /** bytes of what has waited longest; 0 where nothing waits */
  get nextBytes(): number {
    const [next] = this.#waiting.values();
    return next?.bytes ?? 0;
  }

  /** What has waited longest. */
  take(): T | undefined {
    const [first] = this.#waiting;
    if (!first) return undefined;
    this.drop(first[0]);
    return first[1].item;
  }

  drop(key: string): void {
    const one = this.#waiting.get(key);
    if (!one) return;
    this.#waiting.delete(key);
    this.#bytes -= one.bytes;
    if (one.mayGo) this.#count -= 1;
  }

  dropAll(isUnwanted: (item: T) => boolean): void {
    for (const [key, { item }] of this.#waiting) if (isUnwanted(item)) this.drop(key);
  }

  has(isWanted: (item: T) => boolean): boolean {
    for (const { item } of this.#waiting.values()) if (isWanted(item)) return true;
    return false;
  }
}
