import type { PushMapping } from '../push/push-mapping.ts';
import { ScheduleProblem } from './schedule-problem.ts';

/** Whose firing it is, and of when. */
export interface Firing {
  readonly id: string;
  readonly dueMs: number;
  readonly accountId: string;
  readonly region: string;
}

/**
 * What EventBridge sends for a schedule without an input.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
 */
export function scheduledEvent({ name }: Pick<PushMapping, 'name'>, { id, dueMs, accountId, region }: Firing): Buffer {
  return Buffer.from(
    JSON.stringify({
      version: '0',
      id,
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: accountId,
      time: new Date(dueMs).toISOString().replace('.000Z', 'Z'),
      region,
      resources: [`arn:aws:events:${region}:${accountId}:rule/${name}`],
      detail: {},
    }),
  );
}

/** The input of a schedule. @throws ScheduleProblem when it is no JSON */
export function inputOf(text: string): Buffer {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new ScheduleProblem(`input is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  return Buffer.from(text);
}
