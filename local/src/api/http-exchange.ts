import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, encode, maxBodyBytes } from './negotiation.ts';
import { ApiError } from './status.ts';

/** One request, its query parsed, its body not yet read. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Splits the URL. @throws ApiError 400 for a target that is no path */
export function openExchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const target = request.url ?? '/';
  const split = target.indexOf('?');
  const path = split < 0 ? target : target.slice(0, split);
  return { request, response, path, query: new URLSearchParams(split < 0 ? '' : target.slice(split + 1)) };
}

/**
 * Reads the whole body.
 * @throws ApiError 413 as soon as it is known to be larger than the limit
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > maxBodyBytes) throw tooLarge();
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): ApiError {
  return new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
}

/** The default form of answers that have no other. */
export const plainJson: Answer = { format: 'json', as: '', contentType: 'application/json' };

/** Writes one whole answer. Warnings become Warning headers. */
export function send(
  response: ServerResponse,
  code: number,
  answer: Answer,
  body: unknown,
  warnings: readonly string[] = [],
): void {
  const bytes = Buffer.from(encode(answer, body));
  if (warnings.length > 0)
    response.setHeader(
      'warning',
      warnings.map((text) => `299 - ${quote(text)}`),
    );
  response.writeHead(code, {
    'content-type': answer.contentType,
    'content-length': bytes.length,
    'cache-control': 'no-cache, private',
  });
  response.end(bytes);
}

function quote(text: string): string {
  const printable = text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 1024);
  return `"${printable.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`;
}

/** Writes a failure as a Status. What is no ApiError is our own fault: 500, details in the log only. */
export function sendError(exchange: Exchange, error: unknown, onInternalError: (error: unknown) => void): void {
  const { request, response } = exchange;
  if (request.destroyed && !request.complete) return; // the client gave up while it was sending
  if (!(error instanceof ApiError)) onInternalError(error);
  const known =
    error instanceof ApiError
      ? error
      : new ApiError(500, 'InternalError', 'Internal error occurred: see the log of the embedded API');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (!request.complete) response.setHeader('connection', 'close'); // the rest of the body is not read
  const retry = known.details?.retryAfterSeconds;
  if (retry !== undefined) response.setHeader('retry-after', String(retry));
  send(response, known.code, plainJson, known.toStatus());
}
