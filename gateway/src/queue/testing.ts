import { randomUUID } from 'node:crypto';

import type { AsyncEvent } from './event.ts';
import type { EventQueue, LeasedEvent } from './event-queue.ts';

/** The line of tests. */
export const line = 'default/hello';

/** A moment: tests give times, none is read from a clock. */
export const startMs = 1_795_000_000_000;

/** An event of `line`, accepted at `startMs`. */
export function asyncEvent(over: Partial<AsyncEvent> = {}): AsyncEvent {
  return {
    id: randomUUID(),
    line,
    invokedArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    accountId: '000000000000',
    payload: Buffer.from('{}'),
    acceptedMs: startMs,
    ...over,
  };
}

/** Leases what is due at `nowMs`, for a minute. */
export function leaseAt(queue: EventQueue, nowMs: number, count = 10): Promise<readonly LeasedEvent[]> {
  return queue.lease(line, { count, nowMs, leaseMs: 60_000, maxBytes: 1024 ** 2 });
}

/** The first of what is due. @throws Error when nothing is */
export async function leaseOne(queue: EventQueue, nowMs: number): Promise<LeasedEvent> {
  const [leased] = await leaseAt(queue, nowMs, 1);
  if (leased === undefined) throw new Error('nothing is due');
  return leased;
}
