import type { Answer } from '../http/answer.ts';
import { isRecord, parseHeaders, parseStatus, type UrlAnswer } from './answer.ts';

/** What a function says about its HTTP answer before the body: the type of an answer that begins with a prelude. */
export const httpIntegrationType = 'application/vnd.awslambda.http-integration-response';
/** Between prelude and body. */
const separator = Buffer.alloc(8);
/** Status, headers and cookies together; the headers have their own limit below it (Kappa's own). */
export const preludeMaxBytes = 131_072;

/** Where a prelude ends and the body begins. */
export interface Split {
  readonly prelude: Buffer;
  readonly body: Buffer;
}

/** Cuts what has come of an answer; null = the separator has not come. */
export function splitPrelude(bytes: Buffer): Split | null {
  const at = bytes.indexOf(separator);
  return at < 0 ? null : { prelude: bytes.subarray(0, at), body: bytes.subarray(at + separator.length) };
}

/**
 * Status and headers of a prelude, checked as those of a whole answer are.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
 */
export function parsePrelude(prelude: Buffer): UrlAnswer {
  let value: unknown;
  try {
    value = JSON.parse(prelude.toString());
  } catch {
    return malformed('the prelude is not JSON');
  }
  if (!isRecord(value)) return malformed('the prelude is not an object');
  const status = parseStatus(value['statusCode'] ?? 200);
  if (status === null) return malformed('statusCode of the prelude is not an integer from 200 to 599');
  const headers = parseHeaders(value['headers'], value['cookies'], octets);
  return typeof headers === 'string' ? malformed(headers) : { kind: 'answer', answer: { status, headers, body: '' } };
}

const octets: readonly string[] = ['Content-Type', 'application/octet-stream'];

/** An answer with a prelude that has come whole. */
export function parseWholePrelude(payload: Buffer): UrlAnswer {
  const split = splitPrelude(payload);
  if (split === null) return malformed(noSeparator);
  const parsed = parsePrelude(split.prelude);
  return parsed.kind === 'answer' ? { kind: 'answer', answer: { ...parsed.answer, body: split.body } } : parsed;
}

/** Flat header of a body without a prelude. */
export function plainType(contentType: string | undefined): Answer['headers'] {
  const isClean = contentType !== undefined && /^[\t\x20-\x7e]{1,256}$/.test(contentType);
  return ['Content-Type', isClean ? contentType : 'application/octet-stream'];
}

/** Why there is no prelude. */
export const noSeparator = 'the prelude has no end: 8 null bytes';

function malformed(problem: string): UrlAnswer {
  return { kind: 'malformed', problem };
}
