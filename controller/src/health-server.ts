import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

/** What the health server tells about. */
export interface Health {
  /** Why the process is not ready; empty = it is. */
  readonly notReadyBecause: () => readonly string[];
  readonly registry: Registry;
}

/** `/healthz` (alive), `/readyz` (caches are filled; the body says what is missing), `/metrics`. */
export function healthServer({ notReadyBecause, registry }: Health): Server {
  return createServer((request, response) => {
    if (request.url === '/healthz') return answer(response, 200, 'ok');
    if (request.url === '/metrics') return answerMetrics(response, registry);
    if (request.url !== '/readyz') return answer(response, 404, 'not found: /healthz, /readyz, /metrics');
    const reasons = notReadyBecause();
    return answer(response, reasons.length === 0 ? 200 : 503, reasons.length === 0 ? 'ok' : reasons.join('\n'));
  });
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function answerMetrics(response: ServerResponse, registry: Registry): void {
  registry.metrics().then(
    (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
    (error: unknown) => answer(response, 500, String(error)),
  );
}
