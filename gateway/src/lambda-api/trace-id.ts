/** Longest trace header that is handed on. */
const MAX_CHARS = 1024;

/**
 * The caller's `X-Amzn-Trace-Id`, else a new one. Its random part is the request id's, which is random already.
 *
 * @param requestId UUID version 4
 * @param nowMs epoch milliseconds
 * @see AWS X-Ray, tracing header
 */
export function traceIdOf(header: string | string[] | undefined, requestId: string, nowMs: number): string {
  if (typeof header === 'string' && header !== '' && header.length <= MAX_CHARS) return header;
  const epochSeconds = Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0');
  const random =
    requestId.slice(0, 8) +
    requestId.slice(9, 13) +
    requestId.slice(14, 18) +
    requestId.slice(19, 23) +
    requestId.slice(24, 28);
  return `Root=1-${epochSeconds}-${random}`;
}
