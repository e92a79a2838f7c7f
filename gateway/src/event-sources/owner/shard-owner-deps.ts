import type { CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import type { PollerClock } from '../poll/poller.ts';

/** What a ShardOwner is made with. */
export interface ShardOwnerDeps {
  readonly store: CheckpointStore;
  /** gatewayId: this life of this gateway. */
  readonly self: string;
  /** Of all gateways it is this one that should do the work of that name. */
  readonly ranksFirst: (key: string) => boolean;
  readonly clock: Pick<PollerClock, 'nowMs' | 'sleep'>;
  readonly onProblem: (error: unknown) => void;
  /** Told of what happens to shards, for metrics. */
  readonly observer: OwnerObserver;
}

/** Told of what a ShardOwner does. Synchronous, never throws. */
export interface OwnerObserver {
  /** A shard that somebody else had was taken. */
  readonly takenOver: (mapping: string) => void;
  /** A poller hung and was thrown away. */
  readonly restarted: (mapping: string) => void;
}
