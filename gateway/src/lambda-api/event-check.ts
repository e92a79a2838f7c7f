import { isUtf8 } from 'node:buffer';

import type { JsonCheck } from './json-check.ts';

/**
 * Why a body cannot be an event, for people, or null when it can. The text names the place as parsers do.
 *
 * @param body all bytes that `check` has seen, not empty
 */
export function eventProblem(body: Buffer, check: JsonCheck): string | null {
  const badAt = check.end();
  if (badAt >= 0) return `${unexpected(body, badAt)} at ${place(body, badAt)}`;
  if (!isUtf8(body)) return 'the text is not UTF-8';
  return null;
}

function unexpected(body: Buffer, at: number): string {
  const byte = body[at];
  if (byte === undefined) return 'unexpected end of the text';
  const isPrintable = byte > 0x20 && byte < 0x7f;
  return isPrintable
    ? `unexpected character ('${String.fromCharCode(byte)}' (code ${byte}))`
    : `unexpected character (code ${byte})`;
}

function place(body: Buffer, at: number): string {
  let line = 1;
  let lineStart = 0;
  for (let found = body.indexOf(0x0a); found >= 0 && found < at; found = body.indexOf(0x0a, found + 1)) {
    line += 1;
    lineStart = found + 1;
  }
  return `line ${line}, column ${at - lineStart + 1}`;
}
