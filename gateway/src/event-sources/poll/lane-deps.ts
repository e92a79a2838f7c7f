import type { Pace } from '../../async/pace.ts';
import type { MappingView } from '../mapping/mapping-view.ts';
import type { Shard, SourceRecord } from '../record.ts';
import type { OpenStream } from '../source.ts';
import type { InvokeBatch, PollerClock, PollerObserver, Room } from './poller.ts';
import type { TellFailure } from './tell-failure.ts';

/** What a lane works with, and whom it tells. */
export interface LaneDeps {
  readonly stream: OpenStream;
  readonly shard: Shard;
  /** As it is now. */
  readonly mapping: () => MappingView;
  readonly takeRoom: (bytes: number, signal: AbortSignal) => Promise<Room>;
  /** Resolves when a batch may be begun. */
  readonly whenRoom: (signal: AbortSignal) => Promise<void>;
  /** The shard is this gateway's still. */
  readonly mayBegin: () => boolean;
  readonly invoke: InvokeBatch;
  readonly tell: TellFailure;
  readonly observer: PollerObserver;
  readonly clock: PollerClock;
  readonly newRequestId: () => string;
  /** Of all lanes of a shard. */
  readonly pace: Pace;
  /** Nothing more is begun. */
  readonly stopping: AbortSignal;
  /** These are done with. */
  readonly ended: (records: readonly SourceRecord[]) => void;
  /** Something that the checkpoint keeps has changed. */
  readonly changed: () => void;
  /** No more is read before some of what waits has ended. */
  readonly isFull: () => boolean;
  /** When the latest read began that gave nothing, epoch milliseconds; null = it gave something. */
  readonly emptyReadMs: () => number | null;
  /** All of the shard was read. */
  readonly isEnd: () => boolean;
}
