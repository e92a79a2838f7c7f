import type { BatchResult } from '../mapping/plan-conditions.ts';
import type { QueueMessage } from '../record.ts';
import type { QueueAction } from '../source.ts';
import { readFailures } from './batch-failures.ts';
import type { BatchOutcome } from './batch-outcome.ts';

/** What becomes of the messages of one batch. */
export interface MessagePlan {
  /** Every message stands in exactly one of them. */
  readonly settle: readonly { readonly action: QueueAction; readonly messages: readonly QueueMessage[] }[];
  /** These are given to the function again after the pause that pacing says, and are held until then. */
  readonly again: readonly QueueMessage[];
  readonly result: BatchResult;
}

/** What a plan depends on beside the outcome. */
export interface MessageSettings {
  readonly reportsFailures: boolean;
  /** Since the batch was first refused, milliseconds; 0 = it was not. */
  readonly refusedForMs: number;
}

/**
 * Messages are held for so long at most when there is no capacity for them: SQS takes no visibility beyond 12 h after the receive.
 * A held message is received once, so waiting for capacity brings no healthy message to a dead-letter queue.
 */
export const MAX_HELD_MS = 6 * 3_600_000;

/**
 * What becomes of a batch of a queue. Pure.
 *
 *   outcome                           | messages
 *   ran, failures are not reported    | deleted
 *   ran, none failed                  | deleted
 *   ran, some failed                  | those are left to come back, the others deleted: also later ones of a FIFO group, as on Lambda
 *   ran, all failed or no such answer | left
 *   failed, looped                    | left
 *   refused                           | held, and given to the function again; after 6 h left
 *   missing                           | released; nothing more is received before the function is there
 *
 * "Left" is the queue's own business: it comes back after the visibility time-out, and goes to a dead-letter queue when the queue says so.
 */
export function planMessages(
  messages: readonly QueueMessage[],
  outcome: BatchOutcome,
  { reportsFailures, refusedForMs }: MessageSettings,
): MessagePlan {
  switch (outcome.kind) {
    case 'ran':
      return reportsFailures ? planReported(messages, outcome.answer) : all('delete', messages, { kind: 'ok' });
    case 'failed':
      return all('leave', messages, { kind: 'functionFailed' });
    case 'looped':
      return all('leave', messages, { kind: 'gaveUp', condition: 'RecursiveInvocationDropped' });
    case 'missing':
      return all('release', messages, { kind: 'throttled' });
    case 'refused':
      if (refusedForMs >= MAX_HELD_MS) return all('leave', messages, { kind: 'throttled' });
      return { settle: [], again: messages, result: { kind: 'throttled' } };
  }
}

function planReported(messages: readonly QueueMessage[], answer: Buffer): MessagePlan {
  const failures = readFailures(answer, new Set(messages.map(({ id }) => id)));
  if (failures.kind === 'none') return all('delete', messages, { kind: 'ok' });
  if (failures.kind === 'all')
    return all(
      'leave',
      messages,
      failures.why === null ? { kind: 'someFailed' } : { kind: 'badAnswer', why: failures.why },
    );
  return {
    settle: [
      { action: 'delete', messages: messages.filter(({ id }) => !failures.ids.has(id)) },
      { action: 'leave', messages: messages.filter(({ id }) => failures.ids.has(id)) },
    ],
    again: [],
    result: { kind: 'someFailed' },
  };
}

function all(action: QueueAction, messages: readonly QueueMessage[], result: BatchResult): MessagePlan {
  return { settle: [{ action, messages }], again: [], result };
}

/**
 * When a message must be held again so that nobody else gets it: once half of its time is over. null = never, the source keeps it by itself.
 * Worked: received at 0 with a visibility time-out of 30 s: held at 15 s until 45 s, at 30 s until 60 s …
 */
export function nextHoldMs(heldSinceMs: number, holdMs: number | null): number | null {
  return holdMs === null ? null : heldSinceMs + Math.floor(holdMs / 2);
}
