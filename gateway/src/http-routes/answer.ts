import type { Outcome } from '../dispatch/types.ts';
import {
  checkedHeaders,
  isRecord,
  MAX_HEADERS,
  parseBody,
  parseStatus,
  parseUrlAnswer,
  type UrlAnswer,
} from '../function-url/answer.ts';
import { httpIntegrationType, parseWholePrelude } from '../function-url/prelude.ts';

/** The HTTP answer that a function's answer means, in the payload format of its route. */
export function parseRouteAnswer({ payload, contentType }: Outcome, payloadFormat: '1.0' | '2.0'): UrlAnswer {
  if (contentType === httpIntegrationType) return parseWholePrelude(payload);
  return payloadFormat === '2.0' ? parseUrlAnswer(payload) : parseAnswer1(payload);
}

/**
 * Payload format 1.0: an object with `statusCode`, nothing else is an answer. Of a name that is in `headers` and in `multiValueHeaders` each
 * value is sent once.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function parseAnswer1(payload: Buffer): UrlAnswer {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString());
  } catch {
    return malformed('it is not JSON');
  }
  if (!isRecord(value)) return malformed('it is not an object with statusCode');
  const status = parseStatus(value['statusCode']);
  if (status === null) return malformed('statusCode is not an integer from 200 to 599');
  const body = parseBody(value['body'], value['isBase64Encoded']);
  if (body === null) return malformed('body is not a string');
  const pairs = headerPairs(value['headers'] ?? {}, value['multiValueHeaders'] ?? {});
  const headers = typeof pairs === 'string' ? pairs : checkedHeaders(pairs);
  return typeof headers === 'string' ? malformed(headers) : { kind: 'answer', answer: { status, headers, body } };
}

function headerPairs(single: unknown, multi: unknown): readonly (readonly [string, unknown])[] | string {
  if (!isRecord(single)) return 'headers is not an object';
  if (!isRecord(multi)) return 'multiValueHeaders is not an object';
  // Both are looked at only as far as an answer may have them: each name of the one is compared with the values of the other.
  if (Object.keys(single).length > MAX_HEADERS) return tooMany;
  const pairs: [string, unknown][] = [];
  const said = new Map<string, readonly unknown[]>();
  for (const [name, values] of Object.entries(multi)) {
    if (!Array.isArray(values)) return `multiValueHeaders ${JSON.stringify(name.slice(0, 100))} is not an array`;
    if (pairs.length + values.length > MAX_HEADERS) return tooMany;
    said.set(name.toLowerCase(), values);
    for (const value of values) pairs.push([name, value]);
  }
  for (const [name, value] of Object.entries(single)) {
    if (said.get(name.toLowerCase())?.includes(value) !== true) pairs.push([name, value]);
  }
  return pairs;
}

const tooMany = `more than ${MAX_HEADERS} headers`;

function malformed(problem: string): UrlAnswer {
  return { kind: 'malformed', problem };
}
