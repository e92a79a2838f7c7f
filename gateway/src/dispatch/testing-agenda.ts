/** Who does a thing; each can be stalled on its own. */
export type Place = 'world' | 'agents' | number;

interface Entry {
  atMs: number;
  readonly seq: number;
  readonly place: Place;
  readonly call: () => void;
}

/** Simulated time: what is to happen happens in its order. A place that is stalled does all it missed when the stall is over, as a paused process does. */
export class Agenda {
  nowMs = 0;
  #seq = 0;
  #entries: Entry[] = [];
  readonly #stalled = new Map<Place, number>();

  /** @returns what takes it back */
  at(place: Place, delayMs: number, call: () => void): () => void {
    this.#seq += 1;
    const entry = { atMs: this.nowMs + delayMs, seq: this.#seq, place, call };
    this.#entries.push(entry);
    return () => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
  }

  every(place: Place, periodMs: number, call: () => void): () => void {
    let cancel = (): void => {};
    const next = (): void => {
      cancel = this.at(place, periodMs, () => {
        next();
        call();
      });
    };
    next();
    return () => cancel();
  }

  stall(place: Place, ms: number): void {
    this.#stalled.set(place, this.nowMs + ms);
  }

  isStalled(place: Place): boolean {
    return (this.#stalled.get(place) ?? 0) > this.nowMs;
  }

  /** Moves on, thing by thing. @param settle called after each one */
  async advance(ms: number, settle: () => Promise<void>): Promise<void> {
    const untilMs = this.nowMs + ms;
    for (let next = this.#due(untilMs); next !== undefined; next = this.#due(untilMs)) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      const stalledUntilMs = this.#stalled.get(next.place) ?? 0;
      if (stalledUntilMs > this.nowMs) {
        next.atMs = stalledUntilMs;
        continue;
      }
      this.#entries.splice(this.#entries.indexOf(next), 1);
      next.call();
      await settle();
    }
    this.nowMs = untilMs;
  }

  #due(untilMs: number): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.atMs > untilMs) continue;
      if (first === undefined || entry.atMs < first.atMs || (entry.atMs === first.atMs && entry.seq < first.seq))
        first = entry;
    }
    return first;
  }
}
