import type { Claim } from '../checkpoints/checkpoint-store.ts';
import type { Poller } from '../poll/poller.ts';
import type { OwnedMapping } from './owned-mapping.ts';

/** A shard that a gateway reads, or that its last batches are of. */
export interface Held {
  readonly mapping: OwnedMapping;
  readonly claim: Claim;
  readonly poller: Poller;
  /** When the last confirmed sign of life was sent. */
  confirmedMs: number;
  isLeaving: boolean;
}

/** Of the shard: mapping and name. */
export const keyOf = ({ claim: { key } }: Held): string => `${key.mapping} ${key.shard}`;
