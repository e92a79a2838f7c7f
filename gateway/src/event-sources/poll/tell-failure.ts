import type { MappingView } from '../mapping/mapping-view.ts';
import type { FailureSource } from './failure-record.ts';

/** Records that were given up, for who is to be told of them. */
export interface Failure extends Omit<FailureSource, 'functionArn'> {
  readonly shard: string;
  /** The event with them, as the function got it, JSON text. */
  readonly payload: string;
}

/** Tells the mapping's on-failure destination. Rejects when that was not confirmed; then it is told again, so it may be heard twice. */
export type TellFailure = (mapping: MappingView, failure: Failure) => Promise<void>;
