import { createHash } from 'node:crypto';
import type { EventSourceMappingSchedule } from '@kappa/crds/event-source-mapping';

import type { PushMapping } from '../push/push-mapping.ts';
import { parseSchedule, type Schedule } from './schedule.ts';
import { inputOf } from './scheduled-event.ts';

/** A schedule of this install, read. */
export interface ScheduleEntry {
  readonly mapping: PushMapping;
  readonly schedule: Schedule;
  readonly missed: EventSourceMappingSchedule['missed'];
  /** What is sent in place of the Scheduled Event; null = nothing. */
  readonly input: Buffer | null;
  /** Tells whether it is due at the same times as before, or stopped as before. */
  readonly digest: string;
}

/** @throws ScheduleProblem */
export function readEntry(mapping: PushMapping, wanted: EventSourceMappingSchedule): ScheduleEntry {
  const { expression, timezone, start, end, input, missed } = wanted;
  const terms = {
    expression,
    timezone,
    startMs: momentOf(start),
    endMs: momentOf(end),
    createdMs: mapping.createdMs,
  };
  const schedule = parseSchedule(terms);
  const digest = createHash('sha256')
    .update(JSON.stringify([terms, mapping.isEnabled]))
    .digest('hex')
    .slice(0, 16);
  return { mapping, schedule, missed, input: input === undefined ? null : inputOf(input), digest };
}

/** How far a schedule has come, as it is kept. */
export interface Standing {
  /** Of the schedule that has come so far. */
  readonly digest: string;
  /** The newest due time that is over, or when it began, ms since 1970. */
  readonly sinceMs: number;
  /** metadata.generation of the mapping that it was written for; 0 = a version of Kappa wrote it that did not say. */
  readonly generation: number;
}

/** The text of a mark. */
export function standingText({ digest, sinceMs, generation }: Standing): string {
  return JSON.stringify([1, digest, sinceMs, generation]);
}

/** @throws Error when a version of Kappa wrote it that this one does not know: fails closed */
export function parseStanding(text: string): Standing {
  const value: unknown = JSON.parse(text);
  const [version, digest, sinceMs, generation] = Array.isArray(value) ? value : [];
  if (version !== 1 || typeof digest !== 'string' || typeof sinceMs !== 'number')
    throw new Error(`the mark of a schedule cannot be read: ${text.slice(0, 100)}`);
  return { digest, sinceMs, generation: typeof generation === 'number' ? generation : 0 };
}

function momentOf(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}
