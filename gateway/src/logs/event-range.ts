import { invalidParameter } from './logs-error.ts';
import type { Members } from './members.ts';
import type { EventQuery } from './query.ts';

/** Bounds of the name of a stream. */
export const streamNameRule = { max: 512, pattern: /^[^:*]*$/ };

/** In place of no bound: what JSON can carry. */
const FAR_MS = Number.MAX_SAFE_INTEGER;

/** @throws LambdaError InvalidParameterException */
export function readRange(members: Members): Pick<EventQuery, 'startMs' | 'endMs' | 'limit'> {
  const startMs = members.integer('startTime', 0, 0, FAR_MS);
  const endMs = members.integer('endTime', FAR_MS, 0, FAR_MS);
  if (endMs < startMs) throw invalidParameter('endTime must not be before startTime.');
  return { startMs, endMs, limit: members.integer('limit', 10_000, 1, 10_000) };
}

/** The event that a token stands for. @throws LambdaError InvalidParameterException */
export function eventIdOf(token: string | undefined): string {
  if (token === undefined) return '';
  if (/^\d{56}$/.test(token)) return token;
  throw invalidParameter('The specified nextToken is invalid.');
}
