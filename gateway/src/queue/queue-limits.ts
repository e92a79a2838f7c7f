/** Bounds of a queue: what it holds stays finite, whoever sends. */
export interface QueueLimits {
  /** Events of one line that wait or run. */
  readonly eventsPerLine: number;
  /**
   * Bytes of all events that wait or run, with what they take beside their payloads; null = 60 % of the store's own bound, 1 GiB where
   * that has none. Dead events get a quarter of it on top, and the oldest give way.
   */
  readonly bytes: number | null;
  /** Dead events of one line: as many as may be live, or giving up a backlog would remove what was accepted. */
  readonly deadPerLine: number;
  /** How long dead events are kept. */
  readonly deadKeptMs: number;
}

export const defaultLimits: QueueLimits = {
  eventsPerLine: 100_000,
  bytes: null,
  deadPerLine: 100_000,
  deadKeptMs: 14 * 24 * 3_600_000,
};

/** Of the bytes that may wait or run one line has this part at most: no function takes the room of all others. */
export const lineShare = 0.5;

/** What an event takes beside its header, payload and last answer: its places in the sets, keys, rounding. Measured in Redis 7.0: 780 to 890. */
export const overheadBytes = 900;

/** Bytes of payloads in one page of dead events: a page stays small however large its events are. */
export const deadPageBytes = 8 * 1024 * 1024;

/** Dead events are swept so often, by the times that callers give. */
export const sweepEveryMs = 60_000;

/** @param storeBytes the store's own bound; 0 = none */
export function byteLimits(
  { bytes }: QueueLimits,
  storeBytes: number,
): { readonly live: number; readonly dead: number } {
  const live = bytes ?? (storeBytes > 0 ? Math.floor(storeBytes * 0.6) : 1024 ** 3);
  return { live, dead: Math.floor(live / 4) };
}
