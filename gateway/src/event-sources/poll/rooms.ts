import { batchRoom, type Load, MAX_HELD_BYTES } from './plan-share.ts';
import type { PollerClock, Room } from './poller.ts';

/** Whether there is room again is looked at so often. */
const LOOK_MS = 100;
/** Each shard may have read so much, whatever others have: what is stuck elsewhere holds up none. */
const SURE_BYTES = 1024 * 1024;
/** More is read for no shard. */
const MAX_AHEAD_BYTES = 12 * 1024 * 1024;

/** Records of one shard that were read and have not ended. */
export interface ReadAhead {
  /** Whether memory allows one read more. */
  readonly mayGrow: () => boolean;
  /** Now they are so many bytes. */
  readonly set: (bytes: number) => void;
}

/** What all pollers of a gateway share: batches that run, records that are held, and records that were read ahead. */
export class Rooms {
  readonly #others: () => Omit<Load, 'batchesRunning' | 'heldBytes'>;
  readonly #clock: Pick<PollerClock, 'sleep'>;
  /** By mapping. */
  readonly #running = new Map<string, number>();
  /** Those that wait, by mapping, in the order in which they asked. */
  readonly #waiting: { readonly mapping: string }[] = [];
  #heldBytes = 0;
  #aheadBytes = 0;

  /** @param others what else runs in this gateway */
  constructor(others: () => Omit<Load, 'batchesRunning' | 'heldBytes'>, clock: Pick<PollerClock, 'sleep'>) {
    this.#others = others;
    this.#clock = clock;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get runningCount(): number {
    return this.#running.values().reduce((sum, count) => sum + count, 0);
  }

  /** Whether one more batch might be begun. */
  get hasRoom(): boolean {
    return batchRoom({ ...this.#others(), batchesRunning: this.runningCount, heldBytes: this.#heldBytes }) > 0;
  }

  /**
   * Room for one batch, as soon as there is some. Of those that wait the mapping goes first of which the fewest batches run: so what one
   * mapping does not use the others may have.
   *
   * @throws what the signal aborts with
   */
  async take(mapping: string, bytes: number, signal: AbortSignal): Promise<Room> {
    const own = { mapping };
    this.#waiting.push(own);
    try {
      while (!(this.hasRoom && this.#next() === own)) await this.#clock.sleep(LOOK_MS, signal);
    } finally {
      this.#waiting.splice(this.#waiting.indexOf(own), 1);
    }
    this.#add(mapping, 1, bytes);
    let isTaken = true;
    return {
      release: () => {
        if (isTaken) this.#add(mapping, -1, -bytes);
        isTaken = false;
      },
    };
  }

  /** For a new reader of a shard; nothing at first. All together have MAX_HELD_BYTES, beyond what is sure and the last read of each. */
  ahead(): ReadAhead {
    let own = 0;
    return {
      mayGrow: () => own < SURE_BYTES || (own < MAX_AHEAD_BYTES && this.#aheadBytes < MAX_HELD_BYTES),
      set: (bytes) => {
        this.#aheadBytes += bytes - own;
        own = bytes;
      },
    };
  }

  #next(): object | undefined {
    let best = this.#waiting[0];
    for (const each of this.#waiting)
      if (best !== undefined && this.#runningOf(each.mapping) < this.#runningOf(best.mapping)) best = each;
    return best;
  }

  #add(mapping: string, count: number, bytes: number): void {
    const running = this.#runningOf(mapping) + count;
    if (running === 0) this.#running.delete(mapping);
    else this.#running.set(mapping, running);
    this.#heldBytes += bytes;
  }

  #runningOf(mapping: string): number {
    return this.#running.get(mapping) ?? 0;
  }
}
