import { dirname, join } from 'node:path';

import type { CheckpointStore } from '../event-sources/checkpoints/checkpoint-store.ts';
import { RedisCheckpoints } from './redis-checkpoints.ts';
import { SqliteCheckpoints } from './sqlite-checkpoints.ts';

export interface CheckpointOptions {
  readonly redis: { readonly url: string; readonly password: string } | null;
  /** Where the file of events is, there is that of checkpoints, when there is no Redis. */
  readonly eventsFile: string;
  /** Is told each problem of the store, also the same one again. */
  readonly onProblem: (problem: Error) => void;
}

/** Checkpoints of this install: in Redis where there is one, else in a file (local mode). Redis need not be there yet: calls fail until it is. */
export function openCheckpoints({ redis, eventsFile, onProblem }: CheckpointOptions): CheckpointStore {
  return redis === null
    ? new SqliteCheckpoints(join(dirname(eventsFile), 'checkpoints.db'))
    : new RedisCheckpoints({ ...redis, onProblem });
}
