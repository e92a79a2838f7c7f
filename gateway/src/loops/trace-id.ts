import { Lineage } from './lineage.ts';
import type { LoopGuard } from './loop-guard.ts';

/** Longest trace header that is handed on, what is known of loops apart. */
const MAX_CHARS = 1024;

/**
 * The trace id of a call: the caller's `X-Amzn-Trace-Id`, else a new one, with this run in its lineage. It reaches the function as
 * `_X_AMZN_TRACE_ID` (and URLs' functions as a header of the event), and every AWS SDK inside a function sends it along with its calls.
 * So each call brings with it how often each function has run in its chain. Whatever becomes of the rest of a header, the lineage is kept.
 *
 * @param header as it came; sent twice it is one text with a comma
 * @param guard of the function that is called
 * @param requestId UUID version 4; its digits are random enough for a new id
 * @param nowMs epoch milliseconds
 * @throws RecursiveInvocation when the function has run too often in this chain
 * @see AWS X-Ray, tracing header
 */
export function traceIdOf(
  header: string | string[] | undefined,
  guard: LoopGuard,
  requestId: string,
  nowMs: number,
): string {
  if (header === undefined || header === '') return newRoot(requestId, nowMs) + guard.beginning;
  const { rest, lineage } = readHeader(String(header));
  lineage.count(guard);
  return `${rest ?? newRoot(requestId, nowMs)};Lineage=${lineage}`;
}

/**
 * What is kept of a caller's `X-Amzn-Trace-Id` for a run to come: bounded, and not counted yet. Each attempt counts it by {@link traceIdOf},
 * so that all attempts of an event are one run of its chain.
 */
export function keptTrace(header: string | string[] | undefined, requestId: string, nowMs: number): string {
  if (header === undefined || header === '') return newRoot(requestId, nowMs);
  const { rest, lineage } = readHeader(String(header));
  const counts = lineage.toString();
  return (rest ?? newRoot(requestId, nowMs)) + (counts === '' ? '' : `;Lineage=${counts}`);
}

interface TraceHeader {
  /** All but the lineage; null = nothing that can be handed on. */
  readonly rest: string | null;
  readonly lineage: Lineage;
}

function readHeader(header: string): TraceHeader {
  const lineage = new Lineage();
  const fields: string[] = [];
  for (const part of header.split(/[;,]/)) {
    const field = part.trim();
    if (/^lineage=/i.test(field)) lineage.read(field.slice('lineage='.length));
    else if (field !== '') fields.push(field);
  }
  return { rest: handedOn(fields), lineage };
}

function handedOn(fields: readonly string[]): string | null {
  const text = fields.join(';');
  if (text.length <= MAX_CHARS) return text === '' ? null : text;
  return fields.find((field) => /^root=.{1,100}$/i.test(field)) ?? null;
}

function newRoot(requestId: string, nowMs: number): string {
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
