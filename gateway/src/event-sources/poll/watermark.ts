/** A place among what was read of a shard; only good for the Watermark that gave it. */
export type Place = number;

/**
 * How far a shard is done, so that its checkpoint never runs ahead: records are noted in the order in which they are read, they end in
 * any order (several lanes), and the mark is the last one before which, itself included, all have ended.
 *
 *   read    a b c d e          ended   a b . d e       mark  b
 *   ended   c                          a b c d e       mark  e
 *
 * Records that no filter lets through are noted and ended at once: else a shard of which nothing is wanted would never move on.
 */
export class Watermark {
  /** Ids from `#first` on, in the order of reading; null = ended. */
  #ids: (string | null)[] = [];
  /** Place of the first of `#ids`. */
  #first = 0;
  #mark: string | null = null;
  /** Of `#ids`, that have not ended. */
  #open = 0;
  /** The id of each that has ended behind one that has not. */
  readonly #ended = new Map<Place, string>();

  /** The last record up to which all have ended; null = none since this began. */
  get mark(): string | null {
    return this.#mark;
  }

  /** Records that have not ended. */
  get openCount(): number {
    return this.#open;
  }

  /** Records that are remembered: those that have not ended, and what has ended behind them. The reader keeps it bounded. */
  get size(): number {
    return this.#ids.length;
  }

  /** One was read. */
  read(id: string): Place {
    this.#ids.push(id);
    this.#open += 1;
    return this.#first + this.#ids.length - 1;
  }

  /** It has ended: done, given up, or not wanted. Twice is once. Returns whether the mark has moved. */
  end(place: Place): boolean {
    const id = this.#ids[place - this.#first];
    if (id === undefined || id === null) return false;
    this.#ids[place - this.#first] = null;
    this.#ended.set(place, id);
    this.#open -= 1;
    return this.#advance();
  }

  #advance(): boolean {
    let count = 0;
    while (count < this.#ids.length && this.#ids[count] === null) {
      this.#mark = this.#ended.get(this.#first + count) ?? this.#mark;
      this.#ended.delete(this.#first + count);
      count += 1;
    }
    this.#ids.splice(0, count);
    this.#first += count;
    return count > 0;
  }
}
