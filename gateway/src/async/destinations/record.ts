import type { AsyncEvent, Condition, Progress } from '../../queue/event.ts';
import { LATEST } from '../../registry/routing.ts';

const MAX_RECORD_BYTES = 1024 * 1024;
/** Two texts of so many bytes fit, also where each byte is written as six (`\u0000`). */
const CUT_BYTES = 80 * 1024;

/** What a record of an invocation is made from. */
export interface RecordSource {
  readonly event: AsyncEvent;
  readonly progress: Progress;
  readonly condition: Condition;
  /** When the outcome was final, epoch milliseconds: the same in each delivery of the record. */
  readonly decidedMs: number;
}

/**
 * The record of an asynchronous invocation, version 1.0, as JSON text. Payload and answer stand in it as they are: they are not parsed, so
 * nothing of them changes.
 *
 * @see AWS Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations"
 */
export function invocationRecord({ event, progress, condition, decidedMs }: RecordSource): string {
  const { last } = progress;
  const members = [
    member('version', '1.0'),
    member('timestamp', new Date(decidedMs).toISOString()),
    member('requestContext', {
      requestId: event.id,
      functionArn: qualifiedArn(event),
      condition,
      approximateInvokeCount: progress.attempts + (condition === 'Success' ? 1 : 0),
    }),
    `"requestPayload":${event.payload.toString('utf8')}`,
  ];
  if (last !== undefined) {
    const { statusCode, executedVersion, functionError } = last;
    members.push(member('responseContext', { statusCode, executedVersion, functionError }));
    if (last.payload !== undefined)
      members.push(`"responsePayload":${answerText(last.payload, last.payloadCut === true)}`);
  }
  return `{${members.join(',')}}`;
}

/**
 * The record for who takes no more than 1 MiB: what is longer has only the beginnings of payload and answer, as texts.
 *
 * @see {@link invocationRecord}
 */
export function boundedRecord(source: RecordSource): Buffer {
  const whole = Buffer.from(invocationRecord(source));
  if (whole.length <= MAX_RECORD_BYTES) return whole;
  const { event, progress } = source;
  const payload = Buffer.from(JSON.stringify(event.payload.toString('utf8', 0, CUT_BYTES)));
  const { last } = progress;
  const cut = last?.payload !== undefined && {
    last: { ...last, payload: last.payload.subarray(0, CUT_BYTES), payloadCut: true as const },
  };
  return Buffer.from(invocationRecord({ ...source, event: { ...event, payload }, progress: { ...progress, ...cut } }));
}

/** The function as the record names it: always with a qualifier. */
export function qualifiedArn({ invokedArn, qualifier }: AsyncEvent): string {
  return qualifier === undefined ? `${invokedArn}:${LATEST}` : invokedArn;
}

/** The message of an error for people, at most 1 KiB of UTF-8 and never empty: of a function's error object, else of what there is. */
export function errorMessageOf({ last }: Progress, condition: Condition): string {
  const text = last?.payload?.toString('utf8') || condition;
  return clip(messageIn(text) || text);
}

/** Answers need not be JSON; what is cut is none any more. */
function answerText(payload: Buffer, isCut: boolean): string {
  const text = payload.toString('utf8');
  return isCut || !isJson(text) ? JSON.stringify(text) : text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function messageIn(text: string): string | undefined {
  try {
    const { errorMessage } = Object(JSON.parse(text));
    return typeof errorMessage === 'string' ? errorMessage : undefined;
  } catch {
    return undefined;
  }
}

const MAX_MESSAGE_BYTES = 1024;

/** Whole characters only. */
function clip(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_MESSAGE_BYTES) return text;
  let end = MAX_MESSAGE_BYTES;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

function member(name: string, value: unknown): string {
  return `"${name}":${JSON.stringify(value)}`;
}
