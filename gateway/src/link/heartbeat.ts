/** How a link looks at a heartbeat: `suspect` = one PING was not answered in time, `lost` = two were not. */
export type Pulse = 'well' | 'suspect' | 'lost';

/** PINGs without any answer after which the pod counts as lost. */
const MAX_MISSED = 2;

/**
 * Whether anything comes over a link. With a period of 750 ms a dead pod is suspect after 2.25 s and lost after 3 s at the latest. Counts
 * calls, not time: a gateway that was paused itself does not take its pods for dead.
 */
export class Heartbeat {
  /** Bytes came in since the last beat. */
  #hasHeard = true;
  /** PINGs sent since the last byte came in. */
  #missed = 0;

  /** Bytes came in, whatever they are (hot path). */
  heard(): void {
    this.#hasHeard = true;
  }

  /** To be called at equal periods: a link that was silent since the last one gets a PING, and another one as long as it answers none. */
  beat(ping: () => void): Pulse {
    if (this.#hasHeard) {
      this.#hasHeard = false;
      this.#missed = 0;
      return 'well';
    }
    const missed = this.#missed;
    this.#missed = Math.min(missed + 1, MAX_MISSED);
    ping();
    if (missed === 0) return 'well';
    return missed < MAX_MISSED ? 'suspect' : 'lost';
  }
}
