import type { StoredEvent } from '../queue/event-queue.ts';
import { errorMessageOf, qualifiedArn } from './destinations/record.ts';

/** An event of a list, for people and programs. Times are ISO 8601. */
export interface ShownEvent {
  readonly requestId: string;
  readonly functionArn: string;
  readonly state: StoredEvent['state'];
  /** Why it was given up. */
  readonly condition: string | undefined;
  readonly acceptedAt: string;
  /** When it is due, its lease runs out, or it was given up. */
  readonly at: string;
  /** Attempts that ran and failed. */
  readonly attempts: number;
  readonly statusCode: number | undefined;
  readonly functionError: string | undefined;
  /** Of the last attempt, at most 1 KiB. */
  readonly errorMessage: string | undefined;
  readonly payloadBytes: number;
}

/** What a list says of an event. */
export function shownEvent({ event, progress, state, atMs, condition }: StoredEvent): ShownEvent {
  const { last, attempts, delivery } = progress;
  const isBad = last !== undefined && (last.functionError !== undefined || last.statusCode !== 200);
  return {
    requestId: event.id,
    functionArn: qualifiedArn(event),
    state,
    condition: condition ?? delivery?.condition,
    acceptedAt: new Date(event.acceptedMs).toISOString(),
    at: new Date(atMs).toISOString(),
    attempts,
    statusCode: last?.statusCode,
    functionError: last?.functionError,
    errorMessage: isBad ? errorMessageOf(progress, condition ?? 'RetriesExhausted') : undefined,
    payloadBytes: event.payload.length,
  };
}

/** All of an event, JSON text: payload as it came, the last answer as text. */
export function wholeEvent(stored: StoredEvent): string {
  const { event, progress } = stored;
  const { last, refusals, delivery } = progress;
  const more = {
    ...shownEvent(stored),
    traceId: event.traceId,
    executedVersion: last?.executedVersion,
    refusals,
    delivery: delivery && {
      decidedAt: new Date(delivery.decidedMs).toISOString(),
      failures: delivery.failures,
      told: delivery.told ?? [],
    },
    answer: last?.payload?.toString('utf8'),
    isAnswerCut: last?.payloadCut,
  };
  return `${JSON.stringify(more).slice(0, -1)},"payload":${event.payload.toString('utf8')}}`;
}
