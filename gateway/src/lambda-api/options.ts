import type { IncomingHttpHeaders } from 'node:http';

import { clientContextMaxBytes } from '@kappa/crds/limits';
import { InvalidParameterValue, InvalidRequestContent } from '../errors.ts';

/** What the headers of an Invoke ask for. */
export interface InvokeOptions {
  readonly isDryRun: boolean;
  /** The answer is not waited for. */
  readonly isEvent: boolean;
  /** The last 4 KiB of the log are wanted. */
  readonly tail: boolean;
  /** JSON text. */
  readonly clientContext?: string;
}

const plain: InvokeOptions = { isDryRun: false, isEvent: false, tail: false };

/**
 * @throws InvalidParameterValue, InvalidRequestContent
 * @see AWS Lambda API, Invoke
 */
export function parseInvokeOptions(headers: IncomingHttpHeaders): InvokeOptions {
  const invocationType = headers['x-amz-invocation-type'];
  const logType = headers['x-amz-log-type'];
  const context = headers['x-amz-client-context'];
  if (invocationType === undefined && logType === undefined && context === undefined) return plain;
  return {
    ...parseInvocationType(String(invocationType ?? 'RequestResponse')),
    tail: parseLogType(String(logType ?? 'None')),
    ...(context === undefined ? {} : { clientContext: parseClientContext(String(context)) }),
  };
}

function parseInvocationType(value: string): Pick<InvokeOptions, 'isDryRun' | 'isEvent'> {
  if (value !== 'RequestResponse' && value !== 'Event' && value !== 'DryRun')
    throw notInSet(value, 'invocationType', 'Event, RequestResponse, DryRun');
  return { isDryRun: value === 'DryRun', isEvent: value === 'Event' };
}

function parseLogType(value: string): boolean {
  if (value === 'None') return false;
  if (value === 'Tail') return true;
  throw notInSet(value, 'logType', 'None, Tail');
}

/** At most 3,583 bytes of base64, JSON inside. */
function parseClientContext(value: string): string {
  if (value.length > clientContextMaxBytes) {
    throw new InvalidRequestContent(
      `Client context must be no more than ${clientContextMaxBytes} bytes when base64-encoded`,
    );
  }
  const text = Buffer.from(value, 'base64').toString();
  try {
    JSON.parse(text);
  } catch {
    throw new InvalidRequestContent('Client context must be a valid Base64-encoded JSON object.');
  }
  return text;
}

/** The error of a value that a parameter does not have. */
export function notInSet(value: string, parameter: string, set: string): InvalidParameterValue {
  const shown = value.slice(0, 100);
  return new InvalidParameterValue(
    `1 validation error detected: Value '${shown}' at '${parameter}' failed to satisfy constraint: Member must satisfy enum value set: [${set}]`,
  );
}
