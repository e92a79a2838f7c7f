import type { ServerResponse } from 'node:http';

import type { AnswerSource } from './answer.ts';

/**
 * Sends a body as it comes, no faster than the caller takes it, and ends the answer. One that breaks off cuts the connection, so that nobody
 * takes what came for all. Resolves when the source has ended, which it does although the caller has gone. Never rejects.
 *
 * @param stallMs a caller that takes nothing for so long is cut off
 */
export async function pour(res: ServerResponse, source: AnswerSource, stallMs: number): Promise<void> {
  let isGone = res.destroyed || res.socket === null || res.socket.destroyed;
  if (isGone) source.discard();
  res.once('close', () => {
    isGone = true;
    source.discard(); // harmless after the end
  });
  try {
    for (let piece = await source.next(); piece !== null; piece = await source.next()) {
      if (!isGone && !res.write(piece)) await drained(res, stallMs);
    }
    res.end();
  } catch {
    // What was written before is the caller's.
    if (!isGone) await taken(res, stallMs, (done) => res.write('', done));
    cut(res);
  }
}

/** Resolves when there is room again, or nobody to wait for. */
function drained(res: ServerResponse, stallMs: number): Promise<void> {
  return taken(res, stallMs, (done) => res.once('drain', done));
}

/** Resolves when `wait` calls back, or when the connection has ended, which it does after `stallMs`. */
function taken(res: ServerResponse, stallMs: number, wait: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      res.off('close', done);
      resolve();
    };
    const timer = setTimeout(() => cut(res), stallMs);
    res.once('close', done);
    wait(done);
  });
}

/** HTTP/1.0 knows no other end of a body than the connection's: there only a reset is none. */
function cut(res: ServerResponse): void {
  if (res.req.httpVersion === '1.0') res.socket?.resetAndDestroy();
  res.destroy();
}
