import type { EventQueue, LeasedEvent, LineState, Settlement } from '../queue/event-queue.ts';
import type { AttemptDeps } from './attempt.ts';
import type { AsyncSettings } from './settings.ts';

/** What a Runner is made with. */
export interface RunnerDeps extends AttemptDeps {
  readonly queue: EventQueue;
  /** This gateway may run events now: it knows the functions. */
  readonly isReady: () => boolean;
  /** Of all gateways it is this one that takes events of the line. */
  readonly isMine: (line: string) => boolean;
  /** null = the function is not known. */
  readonly settingsOf: (line: string, qualifier: string | undefined) => AsyncSettings | null;
  /** Tells those who are to be told of a final outcome; answers who has heard of it by now. Never rejects. */
  readonly deliver: (leased: LeasedEvent, settings: AsyncSettings) => Promise<readonly string[]>;
  readonly observer: RunnerObserver;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Calls back once; returns what takes it back. */
  readonly after: (ms: number, then: () => void) => () => void;
  readonly onProblem: (err: unknown) => void;
  readonly limits: RunnerLimits;
}

/** Told what happens to events, for metrics. */
export interface RunnerObserver {
  /** An attempt begins so long after the event was accepted. */
  readonly begun: (line: string, ageMs: number) => void;
  /** What becomes of it is decided, and on disk. */
  readonly settled: (line: string, settlement: Settlement) => void;
  /** The lines that are this gateway's, at each sweep; none while it takes no events. */
  readonly swept: (own: readonly LineState[], nowMs: number) => void;
}

/** Bounds of one gateway. */
export interface RunnerLimits {
  /** Events that run at a time, of all functions. What an account leaves to synchronous callers is the dispatcher's to say. */
  readonly maxRunning: number;
  /** Bytes of their payloads; one event more may run. */
  readonly maxBytes: number;
  /** After the death of a gateway its events run elsewhere after so long. Those that run on are renewed long before. */
  readonly leaseMs: number;
  /** How often lines are looked at, in case nobody has told. */
  readonly sweepMs: number;
}

/** What holds unless a test says otherwise. */
export const defaultRunnerLimits: Omit<RunnerLimits, 'maxRunning'> = Object.freeze({
  maxBytes: 64 * 1024 * 1024,
  leaseMs: 30_000,
  sweepMs: 1_000,
});
