import type { ReadAhead } from './rooms.ts';
import type { TellFailure } from './tell-failure.ts';

/** How far a shard of a stream is, and how that is kept. */
export interface StreamState {
  /** @see checkpointText; null = nobody has read it. */
  readonly checkpoint: string | null;
  /** false = the claim is lost. */
  readonly save: (checkpoint: string, isEnd: boolean) => Promise<boolean>;
  readonly tell: TellFailure;
  readonly ahead: ReadAhead;
  /** It has ended: it reads, runs and saves nothing any more. May be called again. */
  readonly onEnd: () => void;
}
