import type { Answer } from '../http/answer.ts';
import { JsonCheck } from '../lambda-api/json-check.ts';

/** What a function's answer means for its caller; `problem` says for people why it is no HTTP answer. */
export type UrlAnswer =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'malformed'; readonly problem: string };

/** Problem of what is no JSON at all. */
export const notJson = 'it is not JSON';
/** Headers of one answer (Kappa's own limits). */
export const MAX_HEADERS = 256;
/** Names and values of all headers together, bytes. */
const MAX_HEADER_BYTES = 65_536;

/**
 * Makes the HTTP answer of a function URL, payload format 2.0. An object with `statusCode` describes the answer; any
 * other
 * JSON is the body itself, with status 200 and application/json. What the function says is checked name by name:
 * nothing of it can
 * begin a second answer or end the connection.
 *
 * @param payload the function's answer as it came
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-response-payload
 */
export function parseUrlAnswer(payload: Buffer): UrlAnswer {
  const described = describedAnswer(payload);
  if (described.kind === 'plain') return plainAnswer(payload);
  if (described.kind === 'malformed') return described;
  const { value } = described;
  const status = parseStatus(value['statusCode']);
  if (status === null) return malformed('statusCode is not an integer from 200 to 599');
  const body = parseBody(value['body'], value['isBase64Encoded']);
  if (body === null) return malformed('body is not a string');
  const headers = parseHeaders(value['headers'], value['cookies']);
  return typeof headers === 'string' ? malformed(headers) : { kind: 'answer', answer: { status, headers, body } };
}

type Described =
  | { readonly kind: 'plain' }
  | { readonly kind: 'malformed'; readonly problem: string }
  | { readonly kind: 'object'; readonly value: Readonly<Record<string, unknown>> };

function describedAnswer(payload: Buffer): Described {
  // Large answers that do not describe themselves are never parsed.
  if (!payload.includes('"statusCode"')) return { kind: 'plain' };
  let value: unknown;
  try {
    value = JSON.parse(payload.toString());
  } catch {
    return malformed(notJson);
  }
  return isRecord(value) && Object.hasOwn(value, 'statusCode') ? { kind: 'object', value } : { kind: 'plain' };
}

function plainAnswer(payload: Buffer): UrlAnswer {
  if (payload.length === 0) return { kind: 'answer', answer: { status: 200, headers: jsonType, body: '' } };
  const check = new JsonCheck();
  check.push(payload);
  if (check.end() >= 0) return malformed(notJson);
  return { kind: 'answer', answer: { status: 200, headers: jsonType, body: payload } };
}

const jsonType: readonly string[] = ['Content-Type', 'application/json'];

/** Null = it is none. */
export function parseStatus(value: unknown): number | null {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^\d{3}$/.test(value));
  const status = isNumeric ? Number(value) : Number.NaN;
  return Number.isInteger(status) && status >= 200 && status <= 599 ? status : null;
}

/** Null = it is none. */
export function parseBody(body: unknown, isBase64: unknown): string | Buffer | null {
  if (body === undefined || body === null) return '';
  if (typeof body !== 'string') return null;
  return isBase64 === true ? Buffer.from(body, 'base64') : body;
}

/** Kappa's own framing decides these. @see RFC 9110, 7.6.1 */
const dropped: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-amzn-requestid',
]);
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** What Node would refuse, and every control character. */
const badValue = /[^\t\x20-\x7e\x80-\xff]/;

/** Flat names and values, or why not. @param otherwise the type of a body that says none, flat */
export function parseHeaders(
  given: unknown,
  cookies: unknown,
  otherwise: readonly string[] = jsonType,
): readonly string[] | string {
  if (given !== undefined && given !== null && !isRecord(given)) return 'headers is not an object';
  if (cookies !== undefined && cookies !== null && !Array.isArray(cookies)) return 'cookies is not an array';
  const pairs: [name: string, value: unknown][] = Object.entries(given ?? {});
  for (const cookie of cookies ?? []) pairs.push(['Set-Cookie', cookie]);
  return checkedHeaders(pairs, otherwise);
}

/** Flat names and values, or why not; those that Kappa's framing decides are left out. @param otherwise the type of a body that says none, flat */
export function checkedHeaders(
  pairs: readonly (readonly [name: string, value: unknown])[],
  otherwise: readonly string[] = jsonType,
): readonly string[] | string {
  if (pairs.length > MAX_HEADERS) return `more than ${MAX_HEADERS} headers`;
  const kept = pairs.filter(([name, value]) => value !== null && !isDropped(name));
  return flatten(kept, otherwise);
}

function flatten(
  pairs: readonly (readonly [name: string, value: unknown])[],
  otherwise: readonly string[],
): readonly string[] | string {
  const flat: string[] = [];
  let bytes = 0;
  let hasType = false;
  for (const [name, given] of pairs) {
    const value = headerText(given);
    if (value === null || !token.test(name)) return `header ${JSON.stringify(name.slice(0, 100))} is not valid`;
    bytes += name.length + value.length;
    hasType ||= name.toLowerCase() === 'content-type';
    flat.push(name, value);
  }
  if (bytes > MAX_HEADER_BYTES) return `headers of more than ${MAX_HEADER_BYTES} bytes`;
  return hasType ? flat : [...otherwise, ...flat];
}

function headerText(value: unknown): string | null {
  const isSimple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  const text = isSimple ? String(value) : null;
  return text === null || badValue.test(text) ? null : text;
}

function isDropped(name: string): boolean {
  const lower = name.toLowerCase();
  return dropped.has(lower) || lower.startsWith('x-kappa-');
}

/** An object, no array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(problem: string): { readonly kind: 'malformed'; readonly problem: string } {
  return { kind: 'malformed', problem };
}
