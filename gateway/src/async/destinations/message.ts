import type { Condition } from '../../queue/event.ts';
import { errorMessageOf, invocationRecord } from './record.ts';
import type { Telling } from './telling.ts';

/** What a queue or a topic is sent. */
export interface Message {
  readonly body: string;
  /** Only a dead-letter queue has some. */
  readonly attributes: Readonly<Record<string, Attribute>>;
}

interface Attribute {
  readonly DataType: 'String' | 'Number';
  readonly StringValue: string;
}

/** Statuses of what was given up without a single answer: those that a synchronous caller would have got. */
const neverRan: Readonly<Record<Condition, number>> = {
  Success: 200,
  RetriesExhausted: 200,
  EventAgeExceeded: 500,
  ZeroReservedConcurrency: 429,
  RecursiveInvocationDropped: 400,
  FunctionNotFound: 404,
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const notXml = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

/** A destination gets the record; a dead-letter queue gets the event as it was, and in attributes why it is there. */
export function messageOf(telling: Telling): Message {
  const { kind, event, progress, condition } = telling;
  if (kind === 'destination') return { body: writable(invocationRecord(telling)), attributes: {} };
  return {
    body: writable(event.payload.toString('utf8')),
    attributes: {
      RequestID: { DataType: 'String', StringValue: event.id },
      ErrorCode: { DataType: 'Number', StringValue: String(progress.last?.statusCode ?? neverRan[condition]) },
      ErrorMessage: { DataType: 'String', StringValue: writable(errorMessageOf(progress, condition)) },
    },
  };
}

/**
 * What SQS and SNS take: they refuse a message for one character that XML 1.0 has not.
 *
 * @see Amazon SQS API Reference, SendMessage, MessageBody
 */
export function writable(text: string): string {
  return text.toWellFormed().replace(notXml, '\ufffd');
}
