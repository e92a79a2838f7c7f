import type { dial, Identity, LogLines } from '../link/link.ts';
import type { DispatchLimits } from './limits.ts';
import type { Ownership } from './ownership.ts';
import type { ClusterDoor, DispatchObserver } from './types.ts';

/** Time, handed in. Timers must not keep the process alive. */
export interface DispatchClock {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Calls back once, later; the answer cancels it. */
  readonly after: (delayMs: number, call: () => void) => () => void;
  /** Calls back again and again; the answer ends it. */
  readonly every: (periodMs: number, call: () => void) => () => void;
  /** Calls back once, after this turn of the event loop has read its sockets (setImmediate). */
  readonly soon: (call: () => void) => void;
}

/** What dispatch is made of. */
export interface DispatchOptions {
  readonly identity: Identity;
  /** What this gateway owns among others; absent = everything (it is alone). */
  readonly ownership?: Ownership;
  readonly cluster: ClusterDoor;
  /** A pod that is claimed now is soon replaced by a new one, as far as this gateway knows: the API server works. Absent = always. */
  readonly arePodsReplaced?: () => boolean;
  readonly observer: DispatchObserver;
  /** The code of a function by digest; may reject with a LambdaError. */
  readonly code: (sha256: string) => Promise<Buffer>;
  readonly clock: DispatchClock;
  /** Own zone, or what tells it at each moment; empty when unknown. */
  readonly zone: string | (() => string);
  /** Port of the agents' link. */
  readonly linkPort: number;
  readonly limits?: Partial<DispatchLimits>;
  /** Hears lines of the log of a version; `entries` is borrowed. Absent = nobody wants them, and the identity does not ask for them. */
  readonly logged?: (versionUid: string, lines: LogLines) => void;
  /** Opens links; absent = over TCP. */
  readonly dial?: typeof dial;
}
