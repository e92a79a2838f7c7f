import type { Part } from '../poll/plan-batch.ts';
import type { SourceRecord } from '../record.ts';
import type { Trial } from './checkpoint.ts';

/** What a lane does with the records that wait after a hand-over. */
export type Reformed =
  /** These again, as they were tried before. */
  | { readonly kind: 'part'; readonly part: Part }
  /** The rest of such a part has to be read first. */
  | { readonly kind: 'readMore' }
  /** A new batch, of the first `most` records at most. */
  | { readonly kind: 'new'; readonly most: number };

/**
 * How the records that wait in a lane are put together, given what was tried before. Pure. A part whose records are no longer all there (trimmed by
 * the source, or filtered by a new pattern) is not waited for once something behind it has come.
 *
 * @param waiting in order, at least one
 * @param trials of this lane, in order
 * @param isFull no more will be read before some of these have ended: the lane is full, or the shard has no more
 */
export function reform(waiting: readonly SourceRecord[], trials: readonly Trial[], isFull: boolean): Reformed {
  const [head] = waiting;
  const known = trials.find(({ first }) => first === head?.id);
  if (known === undefined) {
    const at = waiting.findIndex(({ id }) => trials.some(({ first }) => first === id));
    return { kind: 'new', most: at === -1 ? waiting.length : at };
  }
  const last = waiting.findIndex(({ id }) => id === known.last);
  if (last !== -1) return { kind: 'part', part: { records: waiting.slice(0, last + 1), attempts: known.attempts } };
  const isPassed = waiting.slice(1).some(({ id }) => trials.some(({ first }) => first === id));
  if (isPassed) return { kind: 'new', most: 1 };
  return isFull ? { kind: 'new', most: waiting.length } : { kind: 'readMore' };
}

/** What a checkpoint keeps of parts that have failed. */
export function trialsOf(parts: readonly Part[]): readonly Trial[] {
  return parts.flatMap(({ records, attempts }) => {
    const [first] = records;
    const last = records.at(-1);
    return first === undefined || last === undefined ? [] : [{ first: first.id, last: last.id, attempts }];
  });
}
